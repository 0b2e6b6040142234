// Maps methods and paths to handlers. Build it in one thread; afterwards it is read-only and any thread may use it.
// Owns the handlers. An invalid or repeated pattern is a bug and throws Exception(invalid_argument).
//
//   Router router;
//   router.get("/v1/videos/{video}/tags", tags);                // {video}: one segment, decoded, never empty
//   router.get("/assets/{path...}", assets);                    // all the rest, slashes included
//   router.upload("PATCH", "/v1/uploads/{upload}", begin, {.max_body = 8LL << 30});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/http/exchange.hpp"

namespace reeltag::http::server {

struct RouteOptions {
  std::int64_t max_body = -1;  // bytes; -1: the server's max_body_bytes
  bool limited = true;         // counts against the client's requests per second
  bool quiet = false;          // for probes: logged at debug level only
};

struct Route {
  std::string method = {};
  std::string pattern = {};
  std::vector<std::string> segments = {};
  Handler handler = {};    // set in routes with a handler
  BeginUpload begin = {};  // set in routes that stream the body
  RouteOptions options = {};
};

class Router {
 public:
  Router& add(std::string method, std::string pattern, Handler handler, const RouteOptions& options = {});
  Router& upload(std::string method, std::string pattern, BeginUpload begin, const RouteOptions& options = {});
  Router& get(std::string pattern, Handler handler, const RouteOptions& options = {}) {
    return add("GET", std::move(pattern), std::move(handler), options);
  }
  Router& post(std::string pattern, Handler handler, const RouteOptions& options = {}) {
    return add("POST", std::move(pattern), std::move(handler), options);
  }

  // Sets the check that runs on a worker thread for every request that has a route.
  Router& check(Check check);

  // Literal segments win over parameters, and parameters over {path...}. HEAD matches GET. Without a route, `allowed`
  // lists the methods of the path; empty if the path is unknown.
  struct Match {
    const Route* route = nullptr;
    Pairs parameters = {};
    std::vector<std::string> allowed = {};
  };
  [[nodiscard]] Match find(std::string_view method, const std::vector<std::string>& segments) const;

  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  [[nodiscard]] const Check& check() const { return check_; }

 private:
  Router& insert(Route route);

  std::vector<Route> routes_;  // the most specific first
  Check check_;
};

}  // namespace reeltag::http::server

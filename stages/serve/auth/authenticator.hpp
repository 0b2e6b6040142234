// Authenticates requests and authorizes them by scope. Private to serve. Thread-safe. Refers to the tokens. Failure:
// 401, 403 or 421 as a Response; throws as the catalog does.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "reeltag/catalog/service.hpp"
#include "reeltag/http/exchange.hpp"
#include "reeltag/http/router.hpp"

namespace reeltag::serve {

namespace server = http::server;

enum class Scope { read, write, operate };

struct Principal {
  enum class Kind { none, visitor, token };
  Kind kind = Kind::none;
  std::string owner = {};  // empty: anonymous; owns nothing
  std::string name = {};   // of the token
  std::vector<std::string> scopes = {};
  bool by_cookie = false;  // vulnerable to cross-site requests

  [[nodiscard]] bool may(Scope scope) const;
  [[nodiscard]] catalog::Viewer viewer() const { return {owner, may(Scope::operate)}; }
};

using AuthorizedHandler = std::function<server::Response(const server::Request&, const Principal&)>;

class Authenticator {
 public:
  // open: visitors are admitted. loopback: the server listens on loopback only, so a direct request with neither cookie
  // nor token comes from a program of this machine; all of those are one owner.
  Authenticator(catalog::Tokens& tokens, bool open, bool loopback, std::vector<std::string> hosts);

  // Returns the principal, or the 401/403/421 response.
  std::variant<Principal, server::Response> authorize(const server::Request& request, Scope scope);
  // Wraps a handler in authorize(). Exceptions caused by the request (invalid_argument, not_found ...) become
  // responses.
  server::Handler guarded(Scope scope, AuthorizedHandler handler);
  // The principal, whatever its scopes, for the page and its session.
  Principal authenticate(const server::Request& request);
  // Sets a cookie for a visitor that has none; does nothing if visitors are not admitted.
  void issue_visitor_cookie(const server::Request& request, server::Response& response) const;
  [[nodiscard]] bool is_open() const { return open_; }
  // Whether this principal may have the server read objects with the server's own credentials.
  [[nodiscard]] bool may_read_objects(const Principal& principal) const {
    return loopback_ || principal.kind == Principal::Kind::token;
  }
  // Nothing, or the refusal: 421 for an unknown host name, 403 for a cross-site request.
  std::optional<server::Response> refuse(const server::Request& request, const Principal& principal) const;

 private:
  catalog::Tokens& tokens_;
  bool open_, loopback_;
  std::vector<std::string> hosts_;
};

inline constexpr const char* kVisitorCookie = "reeltag_visitor";
inline constexpr const char* kTokenCookie = "reeltag_token";
// "name=value; Path=/; HttpOnly; ..."; seconds: lifetime, 0 deletes it.
std::string cookie_text(const server::Request& request, const std::string& name, const std::string& value,
                        std::int64_t seconds);

}  // namespace reeltag::serve

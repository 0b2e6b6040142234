// Who asks, and whether it may. Private to serve. Authenticator: thread-safe; owns nothing but its settings.
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
  std::string owner = {};  // empty: nobody; it owns nothing
  std::string name = {};   // of the token
  std::vector<std::string> scopes = {};
  bool by_cookie = false;  // a page of another site could have sent the request along with it

  [[nodiscard]] bool may(Scope scope) const;
  [[nodiscard]] catalog::Viewer viewer() const { return {owner, may(Scope::operate)}; }
};

using AuthorizedHandler = std::function<server::Response(const server::Request&, const Principal&)>;

class Authenticator {
 public:
  // open: visitors may come in. loopback: the server listens on loopback only, so whoever reaches it directly and
  // brings neither cookie nor token is a program of this machine, and all of those are one owner.
  Authenticator(catalog::Tokens& tokens, bool open, bool loopback, std::vector<std::string> hosts);

  // The asker, or the answer that sends it away.
  std::variant<Principal, server::Response> authorize(const server::Request& request, Scope scope);
  // A handler behind the door. What it throws because of the request (invalid_argument, not_found ...) is answered.
  server::Handler guarded(Scope scope, AuthorizedHandler handler);
  // The asker whatever it may do, for the page and its session.
  Principal authenticate(const server::Request& request);
  // A cookie for a visitor that has none yet; nothing where visitors may not come in.
  void issue_visitor_cookie(const server::Request& request, server::Response& response) const;
  [[nodiscard]] bool is_open() const { return open_; }
  // Whether whoever comes in may have the server read objects with the server's own credentials.
  [[nodiscard]] bool may_read_objects(const Principal& principal) const {
    return loopback_ || principal.kind == Principal::Kind::token;
  }
  // Nothing, or why the request must not be answered: called by a wrong name, or sent by a page of another site.
  std::optional<server::Response> refuse(const server::Request& request, const Principal& principal) const;

 private:
  catalog::Tokens& tokens_;
  bool open_, loopback_;
  std::vector<std::string> hosts_;
};

inline constexpr const char* kVisitorCookie = "reeltag_visitor";
inline constexpr const char* kTokenCookie = "reeltag_token";
// "name=value; Path=/; HttpOnly; ..."; seconds: how long it is kept, 0 takes it away.
std::string cookie_text(const server::Request& request, const std::string& name, const std::string& value,
                        std::int64_t seconds);

}  // namespace reeltag::serve

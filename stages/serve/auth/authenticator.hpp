// Authenticates requests and authorizes them by scope. Private to serve. Thread-safe. Refers to the tokens. Failure:
// 401, 403 or 421 as a Response; throws as the catalog does.
//
//   Authenticator authenticator(tokens, {.open = true, .loopback = true, .local_token = local_token(home)});
//   router.get("/v1/videos", authenticator.guarded(Scope::read, list_videos));
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <optional>
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

// Who may ask, and how.
struct AccessRules {
  bool open = false;                    // visitors are admitted, each by a cookie of its own
  bool loopback = false;                // the server listens on loopback only: its names are those of this machine
  bool behind_proxy = false;            // a proxy is expected: no warning at its headers
  std::vector<std::string> hosts = {};  // names that the server goes by; empty: any, unless it listens on loopback only
  std::string local_token = {};         // of the owner "local", programs of this machine (auth/local_token.hpp)
};

class Authenticator {
 public:
  Authenticator(catalog::Tokens& tokens, AccessRules rules);

  // Returns the principal, or the 401/403/421 response.
  std::variant<Principal, server::Response> authorize(const server::Request& request, Scope scope);
  // Wraps a handler in authorize(). Exceptions caused by the request (invalid_argument, not_found ...) become
  // responses.
  server::Handler guarded(Scope scope, AuthorizedHandler handler);
  // The principal, whatever its scopes, for the page and its session.
  Principal authenticate(const server::Request& request);
  // Sets a cookie for a visitor that has none; does nothing if visitors are not admitted.
  void issue_visitor_cookie(const server::Request& request, server::Response& response) const;
  [[nodiscard]] bool is_open() const { return rules_.open; }
  // Nothing, or 421: the request names a host that this server does not go by. Prevents DNS rebinding: another site can
  // resolve its name to this machine, but its requests carry that name.
  [[nodiscard]] std::optional<server::Response> refuse_host(const server::Request& request) const;
  // Nothing, or 403 for a request that changes something and comes from a page of another site. by_cookie: also for one
  // that says nothing of where it comes from.
  [[nodiscard]] static std::optional<server::Response> refuse_other_sites(const server::Request& request,
                                                                          bool by_cookie);

 private:
  void warn_of_proxy(const server::Request& request);

  catalog::Tokens& tokens_;
  AccessRules rules_;
  std::array<unsigned char, 32> local_hash_{};  // SHA-256 of the local token
  std::atomic<bool> warned_ = false;
};

// Whether this principal may have the server read objects with the server's own credentials: never a visitor.
inline bool may_read_objects(const Principal& principal) {
  return principal.kind == Principal::Kind::token && principal.may(Scope::write);
}

}  // namespace reeltag::serve

#include "auth/authenticator.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "reeltag/base/hash.hpp"
#include "reeltag/base/random.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kYear = 365LL * 86400;
constexpr std::size_t kVisitorDigits = 64;

std::string_view scope_name(Scope scope) {
  return scope == Scope::read ? "read" : scope == Scope::write ? "write" : "operator";
}

// "example.org:8080" and "[::1]:8080" without the port.
std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// The name without the port. Names know no case, and "example.org." is the absolute form of example.org.
std::string host_of(std::string_view header) {
  const auto bracket = header.find(']');
  const auto colon = header.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto name = lower(header.substr(0, colon));
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

bool came_through_proxy(const server::Request& request) {
  return !request.header("x-forwarded-for").empty() || !request.header("forwarded").empty();
}

server::Response unauthorized(const Principal& principal, Scope scope, bool open) {
  if (principal.kind != Principal::Kind::none) {
    return server::problem(403, "permission_denied",
                           "this needs a token with the scope " + std::string(scope_name(scope)));
  }
  const std::string advice = open ? "GET /v1/session gives a visitor's cookie; or send a token"
                                  : "send a token, Authorization: Bearer ... (`reeltag tokens new` makes one)";
  return server::problem(401, "permission_denied", advice).with("WWW-Authenticate", "Bearer realm=\"reeltag\"");
}

server::Response answered(const Exception& e) {
  switch (e.code()) {
    case Code::invalid_argument:
      return server::problem(422, "invalid_argument", e.what());
    case Code::not_found:
    case Code::already_exists:
    case Code::too_large:
    case Code::unsupported:
      return server::problem(e.error());
    default:
      throw e;
  }
}

void add_defaults(server::Response& response) {
  response.with("X-Content-Type-Options", "nosniff");
  const bool cached = std::any_of(response.headers.begin(), response.headers.end(),
                                  [](const auto& header) { return header.first == "Cache-Control"; });
  if (!cached && !std::holds_alternative<server::Problem>(response.body)) response.with("Cache-Control", "no-store");
}

}  // namespace

bool Principal::may(Scope scope) const {
  return std::find(scopes.begin(), scopes.end(), scope_name(scope)) != scopes.end();
}

std::string cookie_text(const server::Request& request, const std::string& name, const std::string& value,
                        std::int64_t seconds) {
  // TLS ends at the proxy, which sets this header.
  const bool secure = request.header("x-forwarded-proto") == "https";
  return name + "=" + value + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds) +
         (secure ? "; Secure" : "");
}

Authenticator::Authenticator(catalog::Tokens& tokens, bool open, bool loopback, std::vector<std::string> hosts)
    : tokens_(tokens), open_(open), loopback_(loopback), hosts_(std::move(hosts)) {
  // Prevents DNS rebinding: another site can resolve its name to this machine, but its requests carry that name.
  for (auto& host : hosts_) host = host_of(host);
  if (loopback_) hosts_.insert(hosts_.end(), {"localhost", "127.0.0.1", "[::1]"});
}

Principal Authenticator::authenticate(const server::Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto header = request.header("authorization");
  const bool bearer = header.starts_with(kBearer);
  const std::string text = bearer ? std::string(header.substr(kBearer.size())) : request.cookie(kTokenCookie);
  if (!text.empty()) {
    if (auto token = tokens_.find(text)) {
      if (std::find(token->scopes.begin(), token->scopes.end(), "operator") != token->scopes.end())
        token->scopes = {"read", "write", "operator"};
      return {.kind = Principal::Kind::token,
              .owner = "token:" + token->id,
              .name = token->name,
              .scopes = token->scopes,
              .by_cookie = !bearer};
    }
    if (bearer) return {};
  }
  if (!open_) return {};
  const auto visitor = request.cookie(kVisitorCookie);
  if (is_hex(visitor, kVisitorDigits)) {
    return {.kind = Principal::Kind::visitor,
            .owner = "visitor:" + hex(sha256(visitor)),
            .scopes = {"read", "write"},
            .by_cookie = true};
  }
  if (loopback_ && !came_through_proxy(request))
    return {.kind = Principal::Kind::visitor, .owner = "local", .scopes = {"read", "write"}, .by_cookie = true};
  return {.scopes = {"read"}};
}

std::optional<server::Response> Authenticator::refuse(const server::Request& request,
                                                      const Principal& principal) const {
  const auto host = request.header("host");
  if (!hosts_.empty() && std::find(hosts_.begin(), hosts_.end(), host_of(host)) == hosts_.end()) {
    return server::problem(421, "permission_denied",
                           "this server does not go by the name " + host_of(host) + "; serve.hosts lists its names");
  }
  if (is_safe(request.method) || !principal.by_cookie) return std::nullopt;
  const auto site = request.header("sec-fetch-site");
  const auto origin = request.header("origin");
  const bool other_site = !site.empty() && site != "same-origin" && site != "none";
  const auto scheme = origin.find("://");
  const bool other_origin =
      !origin.empty() && (scheme == std::string_view::npos || lower(origin.substr(scheme + 3)) != lower(host));
  if (!other_site && !other_origin) return std::nullopt;
  return server::problem(403, "permission_denied", "a page of another site sent this; use a token instead");
}

std::variant<Principal, server::Response> Authenticator::authorize(const server::Request& request, Scope scope) {
  Principal principal = authenticate(request);
  if (auto refusal = refuse(request, principal)) return std::move(*refusal);
  const bool unknown_token = request.header("authorization").starts_with("Bearer ") && principal.owner.empty();
  if (unknown_token || !principal.may(scope) || (scope != Scope::read && principal.owner.empty()))
    return unauthorized(principal, scope, open_ && !unknown_token);
  return principal;
}

server::Handler Authenticator::guarded(Scope scope, AuthorizedHandler handler) {
  return [this, scope, handler = std::move(handler)](const server::Request& request) {
    auto decision = authorize(request, scope);
    if (auto* refusal = std::get_if<server::Response>(&decision)) return std::move(*refusal);
    server::Response response;
    try {
      response = handler(request, std::get<Principal>(decision));
    } catch (const Exception& e) {
      response = answered(e);
    }
    add_defaults(response);
    return response;
  };
}

void Authenticator::issue_visitor_cookie(const server::Request& request, server::Response& response) const {
  if (!open_ || is_hex(request.cookie(kVisitorCookie), kVisitorDigits)) return;
  response.with("Set-Cookie", cookie_text(request, kVisitorCookie, random_hex(kVisitorDigits / 2), kYear));
}

}  // namespace reeltag::serve

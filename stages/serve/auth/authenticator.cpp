#include "auth/authenticator.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "auth/cookies.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/random.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kYear = 365LL * 86400;
constexpr std::size_t kVisitorDigits = 64;

std::string_view scope_name(Scope scope) {
  return scope == Scope::read ? "read" : scope == Scope::write ? "write" : "operator";
}

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

// Whether some proxy says that it passed the request on. Its absence proves nothing: a proxy need not say so.
bool came_through_proxy(const server::Request& request) {
  static constexpr std::array<const char*, 6> kSigns{"forwarded",         "via",       "x-forwarded-for",
                                                     "x-forwarded-proto", "x-real-ip", "x-forwarded-host"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](const char* sign) { return request.headers.contains(std::string_view(sign)); });
}

server::Response unauthorized(const Principal& principal, Scope scope, bool open) {
  if (principal.kind != Principal::Kind::none) {
    return server::problem(403, "permission_denied",
                           "this needs a token with the scope " + std::string(scope_name(scope)));
  }
  const std::string advice =
      open ? "send a token, Authorization: Bearer ... (HOME/local.token of this server's home is one), or the cookie "
             "that GET /v1/session gives to a visitor"
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

Authenticator::Authenticator(catalog::Tokens& tokens, AccessRules rules) : tokens_(tokens), rules_(std::move(rules)) {
  for (auto& host : rules_.hosts) host = host_of(host);
  if (rules_.loopback) rules_.hosts.insert(rules_.hosts.end(), {"localhost", "127.0.0.1", "[::1]"});
  local_hash_ = sha256(rules_.local_token);
}

Principal Authenticator::authenticate(const server::Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto header = request.header("authorization");
  const bool bearer = header.starts_with(kBearer);
  const std::string text = bearer ? std::string(header.substr(kBearer.size())) : read_cookie(request, kTokenCookie);
  // Hashes are compared: the time it takes does not tell how close a guess was.
  if (!rules_.local_token.empty() && sha256(text) == local_hash_) {
    return {.kind = Principal::Kind::token,
            .owner = "local",
            .name = "local",
            .scopes = {"read", "write"},
            .by_cookie = !bearer};
  }
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
  if (!rules_.open) return {};
  warn_of_proxy(request);
  const auto visitor = read_cookie(request, kVisitorCookie);
  if (!is_hex(visitor, kVisitorDigits)) return {.scopes = {"read"}};
  return {.kind = Principal::Kind::visitor,
          .owner = "visitor:" + hex(sha256(visitor)),
          .scopes = {"read", "write"},
          .by_cookie = true};
}

// Someone put a proxy before a server that is set up for this machine alone.
void Authenticator::warn_of_proxy(const server::Request& request) {
  if (rules_.behind_proxy || !came_through_proxy(request) || warned_.exchange(true)) return;
  log::warning("open_behind_a_proxy",
               {{"message",
                 "a proxy passes requests on to this server, and anybody who reaches the proxy may use it. "
                 "If that is meant: --set serve.auth=open, serve.hosts=[NAME] and "
                 "serve.http.trusted_proxies=[ADDRESS]; if not: --set serve.auth=tokens"}});
}

std::optional<server::Response> Authenticator::refuse_host(const server::Request& request) const {
  const auto host = host_of(request.header("host"));
  if (rules_.hosts.empty() || std::find(rules_.hosts.begin(), rules_.hosts.end(), host) != rules_.hosts.end())
    return std::nullopt;
  return server::problem(421, "permission_denied",
                         "this server does not go by the name " + host + "; serve.hosts lists its names");
}

std::optional<server::Response> Authenticator::refuse_other_sites(const server::Request& request, bool by_cookie) {
  if (is_safe(request.method)) return std::nullopt;
  const auto site = request.header("sec-fetch-site"), origin = request.header("origin");
  if (by_cookie && site.empty() && origin.empty()) {
    return server::problem(403, "permission_denied",
                           "a request by cookie must say from where it comes: send Origin, or use a token instead");
  }
  // Sec-Fetch-Site cannot be set by a page and knows better: a proxy may have changed the host's name or port.
  const auto scheme = origin.find("://");
  const bool is_own_origin = origin.empty() || (scheme != std::string_view::npos &&
                                                lower(origin.substr(scheme + 3)) == lower(request.header("host")));
  if (site.empty() ? is_own_origin : site == "same-origin" || site == "none") return std::nullopt;
  return server::problem(403, "permission_denied", "a page of another site sent this; use a token instead");
}

std::variant<Principal, server::Response> Authenticator::authorize(const server::Request& request, Scope scope) {
  Principal principal = authenticate(request);
  if (auto refusal = refuse_host(request)) return std::move(*refusal);
  if (principal.by_cookie) {
    if (auto refusal = refuse_other_sites(request, /*by_cookie=*/true)) return std::move(*refusal);
  }
  const bool unknown_token = request.header("authorization").starts_with("Bearer ") && principal.owner.empty();
  if (unknown_token || !principal.may(scope) || (scope != Scope::read && principal.owner.empty()))
    return unauthorized(principal, scope, rules_.open && !unknown_token);
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
  if (!rules_.open || is_hex(read_cookie(request, kVisitorCookie), kVisitorDigits)) return;
  response.with("Set-Cookie", cookie_text(request, kVisitorCookie, random_hex(kVisitorDigits / 2), kYear));
}

}  // namespace reeltag::serve

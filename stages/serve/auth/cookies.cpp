#include "auth/cookies.hpp"

#include <string_view>

namespace reeltag::serve {
namespace {

constexpr std::string_view kSecurePrefix = "__Host-";

// Whether this address, of a page or of its site, is https on the host that the request names.
bool is_own_https(std::string_view address, std::string_view host) {
  constexpr std::string_view kHttps = "https://";
  if (!address.starts_with(kHttps)) return false;
  address.remove_prefix(kHttps.size());
  return address.substr(0, address.find('/')) == host;
}

}  // namespace

bool came_by_tls(const http::server::Request& request) {
  if (request.header("x-forwarded-proto") == "https") return true;
  if (request.header("forwarded").find("proto=https") != std::string_view::npos) return true;
  const auto host = request.header("host");
  return is_own_https(request.header("origin"), host) || is_own_https(request.header("referer"), host);
}

std::string read_cookie(const http::server::Request& request, const std::string& name) {
  auto secure = request.cookie(std::string(kSecurePrefix) + name);
  return !secure.empty() || came_by_tls(request) ? secure : request.cookie(name);
}

std::string cookie_text(const http::server::Request& request, const std::string& name, const std::string& value,
                        std::int64_t seconds) {
  const bool secure = came_by_tls(request);
  return (secure ? std::string(kSecurePrefix) : "") + name + "=" + value +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds) + (secure ? "; Secure" : "");
}

}  // namespace reeltag::serve

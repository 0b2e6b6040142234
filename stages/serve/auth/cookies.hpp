// The server's cookies: that of a visitor and that of a token. Private to serve. Pure functions, any thread; nothing
// fails. Where the browser reaches the server by TLS a cookie is Secure and its name begins with "__Host-": browsers
// then accept it from this host only, not from another name of the same domain (RFC 6265bis, 4.1.3.2).
//
//   if (read_cookie(request, kVisitorCookie).empty()) response.with("Set-Cookie", cookie_text(request, kVisitorCookie,
//   id, kYear));
#pragma once

#include <cstdint>
#include <string>

#include "reeltag/http/exchange.hpp"

namespace reeltag::serve {

inline constexpr const char* kVisitorCookie = "reeltag_visitor";
inline constexpr const char* kTokenCookie = "reeltag_token";

// Whether the browser came by TLS, which ends at a proxy: as the proxy says, or, where it says nothing, as the address
// of the page says from which the request came.
bool came_by_tls(const http::server::Request& request);
// The cookie's value; empty: none. By TLS only the "__Host-" name counts.
std::string read_cookie(const http::server::Request& request, const std::string& name);
// "name=value; Path=/; HttpOnly; ..."; seconds: lifetime, 0 deletes it.
std::string cookie_text(const http::server::Request& request, const std::string& name, const std::string& value,
                        std::int64_t seconds);

}  // namespace reeltag::serve

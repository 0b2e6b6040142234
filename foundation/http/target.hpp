// The texts inside a request's head: target, query, cookies. Pure functions; any thread.
//
//   auto target = parse_target("/v1/videos/a%2Fb?limit=3");   // segments {"v1", "videos", "a/b"}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/http/exchange.hpp"

namespace reeltag::http::server {

struct Target {
  std::string path = {};                   // as sent; "*" for OPTIONS *
  std::vector<std::string> segments = {};  // decoded, of "/" none, of "/a/" {"a", ""}
  Pairs query = {};
};

// Nothing where it is no origin-form ("/a?b") or absolute-form ("http://host/a"), an escape is broken, or a segment is
// "." or "..", or holds a control character, after decoding.
std::optional<Target> parse_target(std::string_view text);

// Percent escapes of valid hexadecimal digits; with `plus` also + for a space. Nothing where an escape is broken.
std::optional<std::string> decode(std::string_view text, bool plus = false);

// The value of one cookie in a Cookie header, without quotes around it.
std::string cookie_value(std::string_view header, std::string_view name);

std::string lower_case(std::string_view text);    // ASCII
std::string_view trimmed(std::string_view text);  // of spaces and tabs

}  // namespace reeltag::http::server

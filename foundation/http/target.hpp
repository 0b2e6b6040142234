// Parses the request target, query and cookies of a request's head. Pure functions; any thread.
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
  std::vector<std::string> segments = {};  // decoded; none for "/", {"a", ""} for "/a/"
  Pairs query = {};
};

// nullopt unless the target is in origin-form ("/a?b") or absolute-form ("http://host/a") with valid escapes, and no
// decoded segment is "." or ".." or contains a control character.
std::optional<Target> parse_target(std::string_view text);

// Decodes percent escapes; with `plus` also + to a space. nullopt if an escape is malformed.
std::optional<std::string> decode(std::string_view text, bool plus = false);

// The value of one cookie in a Cookie header, without surrounding quotes.
std::string cookie_value(std::string_view header, std::string_view name);

std::string lower_case(std::string_view text);    // ASCII
std::string_view trimmed(std::string_view text);  // without leading and trailing spaces and tabs

}  // namespace reeltag::http::server

// Parses untrusted JSON with limits and returns errors as values. Functions: any thread. Includes only nlohmann's
// forward declarations; callers include <nlohmann/json.hpp> themselves.
//
//   each_json_line(path, [&](std::int64_t line, Result<nlohmann::json>&& row) {
//     if (!row) report.skip(line, row.error()); else add(*row);
//   });
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag {

// Parses one JSON text of at most 100 levels. origin names it in the error (invalid_argument).
Result<nlohmann::json> parse_json(std::string_view text, const std::string& origin);

// Serializes a value without line breaks. Replaces invalid UTF-8 by U+FFFD instead of throwing.
std::string dump_json(const nlohmann::json& value);

// The string under a key; an integer as its digits. Empty for any other value, or if `object` is not an object.
std::string text_or_empty(const nlohmann::json& object, const char* key);

// Rounds the value to that many decimals, so that output is the same from run to run.
double rounded(double value, int decimals);

using JsonLine = std::function<void(std::int64_t line, Result<nlohmann::json>&& value)>;

// Reads a JSON Lines file line by line, in order; skips empty lines and a byte order mark. Lines count from 1. A bad
// line, or one of more than max_line_bytes, is passed to the callback as an error naming file and line, and reading
// continues. Fails only if the file cannot be read (not_found, permission_denied, unavailable).
Result<void> each_json_line(const std::filesystem::path& path, const JsonLine& visit,
                            std::int64_t max_line_bytes = 16LL << 20);

}  // namespace reeltag

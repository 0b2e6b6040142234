// JSON from outside: parsing with limits and errors as values. Includes only nlohmann's forward declarations; a caller
// includes <nlohmann/json.hpp> itself. Any thread.
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

// One JSON text of at most 100 levels. origin names it in the error (invalid_argument).
Result<nlohmann::json> parse_json(std::string_view text, const std::string& origin);

// The text of a value: invalid UTF-8 is replaced by U+FFFD instead of being thrown at. No line breaks.
std::string dump_json(const nlohmann::json& value);

// The text under a key; a whole number as its digits. Empty where there is neither, or `object` is no object.
std::string text_or_empty(const nlohmann::json& object, const char* key);

// The value rounded to that many decimals, for output that stays the same from run to run.
double rounded(double value, int decimals);

using JsonLine = std::function<void(std::int64_t line, Result<nlohmann::json>&& value)>;

// A JSON Lines file, one line at a time, in order; empty lines are passed over, a byte order mark too. Lines count from
// 1. A bad line, or one of more than max_line_bytes, reaches the callback as an error naming file and line, and reading
// goes on. Fails itself only when the file cannot be read (not_found, permission_denied, unavailable).
Result<void> each_json_line(const std::filesystem::path& path, const JsonLine& visit,
                            std::int64_t max_line_bytes = 16LL << 20);

}  // namespace reeltag

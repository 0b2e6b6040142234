// Reads dates as Python, JavaScript, databases, mail headers and spreadsheets write them. Function; any thread.
//
//   seconds_of_date("2025-05-19T15:45:53.000Z")   // 1747669553
//   seconds_of_date("1747669553000")              // 1747669553: milliseconds, by magnitude
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reeltag::collect {

// Seconds since 1970, UTC; a text without a time zone is UTC. Nothing if it is not a date: a day and month in numbers
// without the year first is none, since its order is not known.
std::optional<std::int64_t> seconds_of_date(std::string_view text);

// Of a number: seconds, milliseconds, microseconds or nanoseconds since 1970, by its magnitude. Nothing if it is none
// of these.
std::optional<std::int64_t> seconds_of_number(double number);

}  // namespace reeltag::collect

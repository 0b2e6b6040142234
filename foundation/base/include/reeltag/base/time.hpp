// Times as seconds since 1970-01-01 00:00 UTC, and as text. Any thread.
//
//   utc_text(0, "%Y-%m-%dT%H:%M:%SZ")    // "1970-01-01T00:00:00Z"
#pragma once

#include <cstdint>
#include <string>

namespace reeltag {

// Now, in whole seconds since 1970.
std::int64_t unix_seconds();
// Now, in seconds since 1970 with their fraction.
double unix_time();

// seconds since 1970-01-01 00:00 UTC; format: strftime's, of numbers only (names would follow the locale), for at most
// 63 characters.
std::string utc_text(std::int64_t seconds, const char* format);

}  // namespace reeltag

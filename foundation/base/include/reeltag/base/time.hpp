// Times as seconds since 1970-01-01 00:00 UTC, and as text. Functions: any thread.
//
//   utc_text(0, "%Y-%m-%dT%H:%M:%SZ")    // "1970-01-01T00:00:00Z"
#pragma once

#include <cstdint>
#include <string>

namespace reeltag {

// The current time in whole seconds since 1970.
std::int64_t unix_seconds();
// The current time in seconds since 1970, with fraction.
double unix_time();

// Formats seconds since 1970-01-01 00:00 UTC. format: as for strftime, numeric fields only (names depend on the
// locale), for at most 63 characters.
std::string utc_text(std::int64_t seconds, const char* format);

}  // namespace reeltag

// Cryptographically secure random bytes from the system (getrandom). Any thread.
// Failure: Exception(unavailable) if the system returns none.
//
//   const std::string id = random_hex(16);   // 32 digits
#pragma once

#include <cstddef>
#include <string>

namespace reeltag {

// That many random bytes as lower-case hexadecimal digits, two per byte.
std::string random_hex(std::size_t bytes);

}  // namespace reeltag

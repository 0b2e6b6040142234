// Random bytes of the system (getrandom), fit for secrets. Any thread.
// Failure: Exception(unavailable) where the system gives none.
//
//   const std::string id = random_hex(16);   // 32 digits
#pragma once

#include <cstddef>
#include <string>

namespace reeltag {

// That many random bytes as lower-case hexadecimal digits, two a byte.
std::string random_hex(std::size_t bytes);

}  // namespace reeltag

#include "reeltag/base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag {

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> random(bytes);
  for (std::size_t have = 0; have < bytes;) {
    const auto got = getrandom(random.data() + have, bytes - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Exception(Code::unavailable, "the system gives no random bytes: " + std::generic_category().message(errno));
    }
    have += static_cast<std::size_t>(got);
  }
  return hex(random);
}

}  // namespace reeltag

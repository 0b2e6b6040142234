#include "reeltag/base/ids.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <random>

#include "reeltag/base/error.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag {
namespace {

struct Stamp {
  std::time_t second = 0;
  std::uint32_t suffix = 0;  // 24 bits
};

// A stamp above all earlier ones of this process. Within a second (or if the clock was set back) the suffix grows by a
// random step; on overflow, the next second starts early.
Stamp next_stamp() {
  static std::mutex mutex;
  static Stamp last;
  constexpr std::uint32_t kLimit = 1U << 24;
  std::random_device random;
  const std::lock_guard lock(mutex);
  const auto now = std::time(nullptr);
  const auto stepped = last.suffix + 1 + random() % 128;
  if (now > last.second) {
    last = {now, random() % kLimit};
  } else if (stepped < kLimit) {
    last.suffix = stepped;
  } else {
    last = {last.second + 1, random() % (kLimit / 2)};
  }
  return last;
}

}  // namespace

std::string new_id(std::string_view prefix) {
  const auto plain = [](unsigned char c) { return c < 128 && (std::isalnum(c) != 0 || c == '-' || c == '_'); };
  if (!std::all_of(prefix.begin(), prefix.end(), plain)) {
    throw Exception(Code::invalid_argument,
                    "an id may begin with letters, digits, - and _ only, not '" + std::string(prefix) + "'");
  }
  const auto stamp = next_stamp();
  const std::array<std::uint8_t, 3> suffix{static_cast<std::uint8_t>(stamp.suffix >> 16),
                                           static_cast<std::uint8_t>(stamp.suffix >> 8),
                                           static_cast<std::uint8_t>(stamp.suffix)};
  std::string id(prefix);
  if (!id.empty()) id += '-';
  return id + utc_text(stamp.second, "%Y%m%d-%H%M%S-") + hex(suffix);
}

std::string content_id(const Sha256Digest& digest) { return hex(std::span(digest).first<8>()); }
std::string content_id(std::string_view bytes) { return content_id(sha256(bytes)); }

}  // namespace reeltag

#include "reeltag/base/time.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace reeltag {

std::int64_t unix_seconds() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string utc_text(std::int64_t seconds, const char* format) {
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &utc)};
}

}  // namespace reeltag

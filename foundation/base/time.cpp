#include "reeltag/base/time.hpp"

#include <array>
#include <ctime>

namespace reeltag {

std::string utc_text(std::int64_t seconds, const char* format) {
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &utc)};
}

}  // namespace reeltag

#include "libav.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace reeltag::media::libav {
namespace {

// A fixed buffer: the callback runs inside C code, where exceptions must not pass.
thread_local std::array<char, 256> last_line{};
thread_local bool over_pixel_limit = false;

void remember(void* /*context*/, int level, const char* format, va_list args) {
  if (level > AV_LOG_ERROR) return;
  std::vsnprintf(last_line.data(), last_line.size(), format, args);
  // Of av_image_check_size2() and of dav1d.
  for (const char* words : {"exceeds specified max pixel count", "exceeds limit"})
    over_pixel_limit |= std::strstr(last_line.data(), words) != nullptr;
}

std::string trimmed(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';  // bytes of the file must not send control characters to a terminal
  const auto last = text.find_last_not_of(" .");
  return last == std::string::npos ? std::string() : text.substr(0, last + 1);
}

}  // namespace

void silence() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(remember); });
}

void clear_log() {
  last_line[0] = '\0';
  over_pixel_limit = false;
}

bool is_over_pixel_limit() { return over_pixel_limit; }

std::string error_text(int av_error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> name{};
  av_strerror(av_error, name.data(), name.size());
  const std::string line = trimmed(last_line.data());
  return line.empty() ? std::string(name.data()) : std::string(name.data()) + " (" + line + ")";
}

}  // namespace reeltag::media::libav

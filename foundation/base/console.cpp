#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "reeltag/base/control_characters.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag {
namespace {

constexpr std::string_view kEraseLine = "\r\033[K";

// Writes a whole line with one call if the system allows, so that lines of several processes do not mix.
void put(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Console& Console::get() {
  static auto* console = new Console;
  return *console;
}

bool Console::is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

int Console::columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void Console::write_line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out;
  if (owner_ != nullptr) out += kEraseLine;
  out += text;
  out += '\n';
  out += live_;
  put(out);
}

void Console::draw_live(const void* owner, std::string text) {
  const std::lock_guard lock(mutex_);
  owner_ = owner;
  live_ = std::move(text);
  put(std::string(kEraseLine) + live_);
}

void Console::end_live(const void* owner, std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out;
  if (owner_ != nullptr) out += kEraseLine;
  out += text;
  out += '\n';
  if (owner_ == owner) {
    owner_ = nullptr;
    live_.clear();
  }
  put(out + live_);
}

std::string escape_controls(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto control = control_at(text, i);
    if (control.bytes == 0) {
      out += text[i++];
      continue;
    }
    const std::array<std::uint8_t, 2> code{static_cast<std::uint8_t>(control.code >> 8U),
                                           static_cast<std::uint8_t>(control.code & 0xFFU)};
    out += "\\u" + hex(code);
    i += control.bytes;
  }
  return out;
}

std::string cut_to_width(std::string_view text, int columns) {
  std::size_t end = 0;
  int used = 0;
  for (; end < text.size(); ++end) {
    const bool continues = (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80;
    if (!continues && ++used > columns) break;
  }
  return std::string(text.substr(0, end));
}

}  // namespace reeltag

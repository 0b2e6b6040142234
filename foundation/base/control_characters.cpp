#include "reeltag/base/control_characters.hpp"

#include <cstdint>

namespace reeltag {

ControlCharacter control_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<std::uint8_t>(text[at + i]) : std::uint8_t{0};
  };
  const auto first = byte(0);
  if (at < text.size() && (first < 0x20 || first == 0x7F)) return {1, first};
  if (first == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return {2, byte(1)};
  if (first != 0xE2) return {};
  const char32_t code = 0x2000U + ((byte(1) & 0x3FU) << 6U) + (byte(2) & 0x3FU);
  const bool is_whole = (byte(1) & 0xC0U) == 0x80 && (byte(2) & 0xC0U) == 0x80;
  const bool controls = (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return is_whole && controls ? ControlCharacter{3, code} : ControlCharacter{};
}

std::string without_controls(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto control = control_at(text, i);
    if (control.bytes == 0) out += text[i];
    i += control.bytes == 0 ? 1 : control.bytes;
  }
  return out;
}

}  // namespace reeltag

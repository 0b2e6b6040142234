#include "reeltag/base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace reeltag {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 64;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values.at(static_cast<std::uint8_t>(kDigits[i])) = static_cast<std::uint8_t>(i);
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i)
      three = three << 8U | (i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) text.push_back(i <= bytes.size() ? kDigits[three >> (18 - 6 * i) & 63U] : '=');
  }
  return text;
}

namespace {

// The characters of a text in any of the lenient spellings.
std::string plain_text(std::string_view text) {
  if (const auto comma = text.find(','); text.starts_with("data:") && comma != std::string_view::npos)
    text.remove_prefix(comma + 1);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    out += c == '-' ? '+' : c == '_' ? '/' : c;
  }
  return out;
}

}  // namespace

std::optional<std::string> from_base64(std::string_view text, Base64 form) {
  std::string plain;
  if (form == Base64::lenient && text.find_first_of(" \t\r\n-_,") != std::string_view::npos)
    text = plain = plain_text(text);
  const bool is_padded = text.size() % 4 == 0;
  if (!is_padded && form == Base64::strict) return std::nullopt;
  for (int padding = 0; is_padded && padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char digit : text) {
    const auto value = kValues.at(static_cast<std::uint8_t>(digit));
    if (value == kNone) return std::nullopt;
    held = (held << 6U | value) & 0xFFFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(held >> bits & 0xFFU));
  }
  const bool is_cut = (held & ((1U << bits) - 1U)) != 0;
  if (is_cut && form == Base64::strict) return std::nullopt;
  return bytes;
}

}  // namespace reeltag

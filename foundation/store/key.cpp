#include "key.hpp"

#include <string>

#include "reeltag/base/error.hpp"

namespace reeltag::store {
namespace {

// Length of the well-formed UTF-8 sequence at the front of text, or 0. Source: Unicode 15, table 3-7.
std::size_t utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// The key for messages: control characters and invalid UTF-8 escaped, shortened if long.
std::string printable(std::string_view key) {
  constexpr std::size_t kShown = 80;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < key.size() && i < kShown;) {
    const auto c = static_cast<unsigned char>(key[i]);
    const std::size_t length = utf8_sequence(key.substr(i));
    if (length == 0 || c < 0x20 || c == 0x7F) {
      out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
      i += 1;
    } else {
      out += key.substr(i, length);
      i += length;
    }
  }
  return key.size() > kShown ? out + "..." : out;
}

[[noreturn]] void refuse_key(std::string_view key, const std::string& why) {
  throw Exception(Code::invalid_argument, "key '" + printable(key) + "' " + why);
}

void check_bytes(std::string_view key) {
  if (key.size() > kMaxKeyBytes) refuse_key(key, "is longer than " + std::to_string(kMaxKeyBytes) + " bytes");
  for (std::size_t i = 0; i < key.size();) {
    const auto c = static_cast<unsigned char>(key[i]);
    if (c < 0x20 || c == 0x7F) refuse_key(key, "has a control character");
    const std::size_t length = utf8_sequence(key.substr(i));
    if (length == 0) refuse_key(key, "is not UTF-8");
    i += length;
  }
}

void check_name(std::string_view key, std::string_view name) {
  if (name.empty()) refuse_key(key, "has an empty name: write it without leading, trailing or double '/'");
  if (name == "." || name == "..")
    refuse_key(key, "has the name '" + std::string(name) + "', which could leave the store");
  if (name.size() > kMaxNameBytes)
    refuse_key(key, "has a name longer than " + std::to_string(kMaxNameBytes) + " bytes");
}

// Checks the names of key; the part after the last '/' only if whole is set.
void check_names(std::string_view key, bool whole) {
  std::size_t begin = 0;
  for (std::size_t slash = key.find('/'); slash != std::string_view::npos; slash = key.find('/', begin)) {
    check_name(key, key.substr(begin, slash - begin));
    begin = slash + 1;
  }
  if (whole) check_name(key, key.substr(begin));
  if (key.substr(0, key.find('/')) == kTemporaryFolder) refuse_key(key, "is in the folder of half-written blobs");
}

}  // namespace

void check_key(std::string_view key) {
  if (key.empty()) throw Exception(Code::invalid_argument, "a key must not be empty");
  check_bytes(key);
  check_names(key, true);
}

void check_prefix(std::string_view prefix) {
  check_bytes(prefix);
  check_names(prefix, false);
}

}  // namespace reeltag::store

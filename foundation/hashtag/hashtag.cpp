#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "reeltag/hashtag.hpp"

namespace reeltag::hashtag {
namespace {

// u_iscntrl() would also match the joiners of emoji.
bool is_space(UChar32 c) { return u_isUWhiteSpace(c) != 0 || u_charType(c) == U_CONTROL_CHAR; }

// The characters that sites allow in a hashtag: letters, marks, digits, '_', and emoji with joiners and skin tones.
bool in_hashtag(UChar32 c) {
  if (c == '_' || u_isalnum(c) != 0) return true;
  const auto type = u_charType(c);
  const bool mark = type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK || type == U_ENCLOSING_MARK;
  const bool emoji = type == U_OTHER_SYMBOL || type == U_FORMAT_CHAR || (type == U_MODIFIER_SYMBOL && c > 0x7F);
  return mark || (emoji && c != 0xFFFD);
}

}  // namespace

std::string normalize(std::string_view typed) {
  constexpr std::size_t kMax = 1024;  // bytes; no platform allows that many, and a pasted caption is not a hashtag
  if (typed.size() > kMax) return {};
  const auto spelling = fold(typed);
  const auto text = icu::UnicodeString::fromUTF8({spelling.data(), static_cast<std::int32_t>(spelling.size())});
  icu::UnicodeString kept;
  bool gap = false;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (c == 0xFFFD) return {};  // replaces invalid UTF-8
    if (is_space(c)) {
      gap = true;
      continue;
    }
    if (c == '#' && kept.isEmpty()) continue;
    if (gap && !kept.isEmpty()) kept.append(static_cast<UChar32>(' '));
    gap = false;
    kept.append(c);
  }
  std::string result;
  kept.toUTF8String(result);
  return result;
}

std::vector<std::string> find_in_caption(std::string_view caption) {
  const auto text = icu::UnicodeString::fromUTF8({caption.data(), static_cast<std::int32_t>(caption.size())});
  std::vector<std::string> typed;
  for (std::int32_t i = 0; i < text.length();) {
    const UChar32 c = text.char32At(i);
    i = text.moveIndex32(i, 1);
    if (c != '#' && c != 0xFF03) continue;  // also the full-width sign
    const std::int32_t begin = i;
    while (i < text.length() && in_hashtag(text.char32At(i))) i = text.moveIndex32(i, 1);
    if (i == begin) continue;
    typed.emplace_back();
    text.tempSubStringBetween(begin, i).toUTF8String(typed.back());
  }
  return normalize_all(typed);
}

std::vector<std::string> normalize_all(std::span<const std::string> typed) {
  std::vector<std::string> result;
  for (const auto& one : typed) {
    auto hashtag = normalize(one);
    if (hashtag.empty() || std::find(result.begin(), result.end(), hashtag) != result.end()) continue;
    result.push_back(std::move(hashtag));
  }
  return result;
}

}  // namespace reeltag::hashtag

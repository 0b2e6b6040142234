#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "reeltag/hashtag.hpp"

namespace reeltag::hashtag {
namespace {

// u_iscntrl() would also match the joiners of emoji.
bool is_space(UChar32 c) { return u_isUWhiteSpace(c) != 0 || u_charType(c) == U_CONTROL_CHAR; }

// '#', and its full-width and small forms.
bool is_hash(UChar32 c) { return c == '#' || c == 0xFF03 || c == 0xFE5F; }

// The characters that sites allow in a hashtag: those of identifiers (the Catalan middle dot is one), and emoji with
// joiners and skin tones.
bool in_hashtag(UChar32 c) {
  if (c == '_' || u_isalnum(c) != 0 || u_hasBinaryProperty(c, UCHAR_XID_CONTINUE) != 0) return true;
  const auto type = u_charType(c);
  const bool mark = type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK || type == U_ENCLOSING_MARK;
  const bool emoji = type == U_OTHER_SYMBOL || type == U_FORMAT_CHAR || (type == U_MODIFIER_SYMBOL && c > 0x7F);
  return mark || (emoji && c != 0xFFFD);
}

// Whether a '#' there begins a hashtag: not within a word, an HTML entity or an address.
bool may_start(const icu::UnicodeString& text, std::int32_t sign) {
  if (sign == 0) return true;
  const UChar32 before = text.char32At(text.moveIndex32(sign, -1));
  if (before == '&' || u_hasBinaryProperty(before, UCHAR_XID_CONTINUE) != 0) return false;
  std::int32_t word = sign;
  while (word > 0 && !is_space(text.char32At(text.moveIndex32(word, -1)))) word = text.moveIndex32(word, -1);
  const auto start = text.tempSubStringBetween(word, sign);
  return start.indexOf(u"://") < 0 && !start.startsWith(u"www.");
}

// Whether there is a letter, a digit or an emoji; a keycap is '#' with a mark around it.
bool says_something(const icu::UnicodeString& hashtag) {
  if (hashtag.isEmpty()) return false;
  constexpr UChar32 kKeycap = 0x20E3, kEmojiStyle = 0xFE0F;
  const UChar32 first = hashtag.char32At(0);
  if (first == kKeycap || first == kEmojiStyle) return false;
  for (std::int32_t i = 0; i < hashtag.length(); i = hashtag.moveIndex32(i, 1)) {
    const UChar32 c = hashtag.char32At(i);
    if (u_isalnum(c) != 0 || u_charType(c) == U_OTHER_SYMBOL) return true;
  }
  return false;
}

// "&amp;#39;": an entity that was escaped twice.
bool is_entity(const icu::UnicodeString& text, std::int32_t sign, std::int32_t end) {
  if (sign == 0 || text[sign - 1] != u';' || end >= text.length() || text[end] != u';') return false;
  for (auto i = sign + 1; i < end; ++i) {
    if (u_isdigit(text[i]) == 0) return false;
  }
  return true;
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
  std::int32_t last_end = 0;  // of the hashtag before
  for (std::int32_t i = 0; i < text.length();) {
    const auto sign = i;
    const UChar32 c = text.char32At(i);
    i = text.moveIndex32(i, 1);
    if (!is_hash(c)) continue;
    const std::int32_t begin = i;
    while (i < text.length() && in_hashtag(text.char32At(i))) i = text.moveIndex32(i, 1);
    const auto hashtag = text.tempSubStringBetween(begin, i);
    const bool starts = (last_end == sign && sign > 0) || may_start(text, sign);
    if (!starts || !says_something(hashtag) || is_entity(text, sign, i)) continue;
    last_end = i;
    typed.emplace_back();
    hashtag.toUTF8String(typed.back());
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

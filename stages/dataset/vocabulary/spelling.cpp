#include "vocabulary/spelling.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>

namespace reeltag::dataset {
namespace {

std::string utf8(const std::u32string& text) {
  icu::UnicodeString wide;
  for (const char32_t c : text) wide.append(static_cast<UChar32>(c));
  std::string result;
  return wide.toUTF8String(result);
}

bool is_separator(char32_t c) {
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_SPACE_SEPARATOR || type == U_CONNECTOR_PUNCTUATION || type == U_DASH_PUNCTUATION || c == '.' ||
         c == '\'' || c == '!' || c == '?' || c == 0x2019;
}

bool is_digit(char32_t c) { return u_isdigit(static_cast<UChar32>(c)) != 0; }

bool is_picture(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  constexpr char32_t kJoiner = 0x200D, kAsPicture = 0xFE0F, kAsText = 0xFE0E;
  if (c == kJoiner || c == kAsPicture || c == kAsText) return true;
  if (u_hasBinaryProperty(code, UCHAR_REGIONAL_INDICATOR) != 0 || c < 0x80) return false;
  return u_hasBinaryProperty(code, UCHAR_EXTENDED_PICTOGRAPHIC) != 0 ||
         u_hasBinaryProperty(code, UCHAR_EMOJI_MODIFIER) != 0 || u_charType(code) == U_OTHER_SYMBOL;
}

// Shortens runs of `from` or more equal characters to `to`; leaves digits alone.
std::u32string shortened(const std::u32string& text, std::size_t from, std::size_t to) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(text[i], i), text.size());
    result.append(end - i >= from && !is_digit(text[i]) ? to : end - i, text[i]);
    i = end;
  }
  return result;
}

// Vowel signs of Indic scripts are not accents and stay.
std::u32string unaccented(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfd = icu::Normalizer2::getNFDInstance(error);
  const auto* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return code_points(text);
  const auto apart =
      nfd->normalize(icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())}), error);
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < apart.length(); i = apart.moveIndex32(i, 1)) {
    const UChar32 c = apart.char32At(i);
    if (c < 0x0300 || c > 0x036F) kept.append(c);
  }
  std::string result;
  const auto together = nfc->normalize(kept, error);
  return U_FAILURE(error) ? code_points(text) : code_points(together.toUTF8String(result));
}

UScriptCode script_of(char32_t c) {
  UErrorCode error = U_ZERO_ERROR;
  return uscript_getScript(static_cast<UChar32>(c), &error);
}

}  // namespace

std::u32string code_points(std::string_view text) {
  const auto wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  std::u32string result;
  for (std::int32_t i = 0; i < wide.length(); i = wide.moveIndex32(i, 1))
    result.push_back(static_cast<char32_t>(wide.char32At(i)));
  return result;
}

std::vector<std::string> joined(std::string_view hashtag) {
  auto text = code_points(hashtag);
  std::erase_if(text, is_separator);
  std::vector<std::string> forms;
  for (const auto& form : {shortened(text, 3, 2), shortened(text, 3, 1)}) {
    auto one = utf8(form);
    if (form.empty() || one == hashtag || std::find(forms.begin(), forms.end(), one) != forms.end()) continue;
    forms.push_back(std::move(one));
  }
  return forms;
}

std::string undecorated(std::string_view hashtag) {
  auto text = code_points(hashtag);
  while (!text.empty() && is_picture(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_picture));
  return text.empty() ? std::string(hashtag) : utf8(text);
}

std::string without_accents(std::string_view hashtag) { return utf8(unaccented(hashtag)); }

std::vector<std::string> singulars(std::string_view hashtag) {
  constexpr std::size_t kMin = 3;  // letters of a singular
  const bool word = std::all_of(hashtag.begin(), hashtag.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!word || hashtag.size() <= kMin || !hashtag.ends_with('s') || hashtag.ends_with("ss")) return {};
  const std::string one(hashtag.substr(0, hashtag.size() - 1));
  std::vector<std::string> result{one};
  if (!one.ends_with('e')) return result;
  const std::string stem = one.substr(0, one.size() - 1);
  if (stem.size() < kMin) return result;
  if (stem.ends_with('i')) {
    result.push_back(stem.substr(0, stem.size() - 1) + "y");
  } else {
    for (const char* end : {"s", "x", "z", "ch", "sh", "o"}) {
      if (stem.ends_with(end)) result.push_back(stem);
    }
  }
  return result;
}

std::string bare(std::string_view hashtag) {
  constexpr std::size_t kMin = 3;  // minimum letters before removable digits
  auto text = unaccented(hashtag);
  std::erase_if(text, [](char32_t c) {
    const auto code = static_cast<UChar32>(c);
    return u_isalpha(code) == 0 && u_isdigit(code) == 0 && u_getCombiningClass(code) == 0;
  });
  if (!text.empty() && script_of(text.front()) == USCRIPT_LATIN)
    std::erase_if(text, [](char32_t c) { return !is_digit(c) && script_of(c) != USCRIPT_LATIN; });
  text = shortened(text, 2, 1);
  while (text.size() > kMin && is_digit(text.back())) text.pop_back();
  return utf8(text);
}

std::vector<std::u32string> deletions(const std::u32string& text) {
  std::vector<std::u32string> result{text};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && text[i] == text[i - 1]) continue;  // gives the same text
    result.push_back(text.substr(0, i) + text.substr(i + 1));
  }
  return result;
}

bool one_edit(const std::u32string& a, const std::u32string& b, bool at_the_end) {
  const auto digits = [](std::u32string text) {
    std::erase_if(text, [](char32_t c) { return !is_digit(c); });
    return text;
  };
  if (a.size() > b.size()) return one_edit(b, a, at_the_end);
  if (b.size() - a.size() > 1 || a == b || digits(a) != digits(b)) return false;
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin());
  if (left == a.begin()) return false;
  if (right + 1 == b.end() && !at_the_end) return a.size() < b.size() && b.back() == a.back();
  const std::u32string from_a(left, a.end()), from_b(right, b.end());
  if (from_a.size() < from_b.size()) return from_a == from_b.substr(1);
  if (from_a.substr(1) == from_b.substr(1)) return true;
  return from_a.size() > 1 && from_a[0] == from_b[1] && from_a[1] == from_b[0] && from_a.substr(2) == from_b.substr(2);
}

}  // namespace reeltag::dataset

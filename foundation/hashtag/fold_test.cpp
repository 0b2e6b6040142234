#include <gtest/gtest.h>

#include <algorithm>

#include "reeltag/hashtag.hpp"

namespace reeltag::hashtag {
namespace {

void append_utf8(std::string& text, char32_t c) {
  const auto tail = [&](int shift) { text.push_back(static_cast<char>(0x80 | (c >> shift & 0x3F))); };
  if (c < 0x80) return text.push_back(static_cast<char>(c));
  if (c < 0x800) {
    text.push_back(static_cast<char>(0xC0 | c >> 6));
  } else if (c < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | c >> 12));
    tail(6);
  } else {
    text.push_back(static_cast<char>(0xF0 | c >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

TEST(FoldHashtag, FoldsCaseInEveryScript) {
  EXPECT_EQ(fold("CookingTips"), "cookingtips");
  EXPECT_EQ(fold("STRASSE"), fold("stra\xC3\x9F"
                                  "e"));
  EXPECT_EQ(fold("\xCE\xA3\xCE\x9F\xCE\xA6\xCE\x9F\xCE\xA3"), "\xCF\x83\xCE\xBF\xCF\x86\xCE\xBF\xCF\x83");
  EXPECT_EQ(fold("\xD0\x9A\xD0\x9E\xD0\xA2"), "\xD0\xBA\xD0\xBE\xD1\x82");
}

TEST(FoldHashtag, ComposesAndReplacesCompatibilityForms) {
  EXPECT_EQ(fold("Cafe\xCC\x81"), "caf\xC3\xA9");
  EXPECT_EQ(fold("\xEF\xBC\xB4\xEF\xBD\x81\xEF\xBD\x87"), "tag");
  EXPECT_EQ(fold("\xEF\xAC\x81sh"), "fish");
  EXPECT_EQ(fold("\xEF\xBE\x88\xEF\xBD\xBA"), "\xE3\x83\x8D\xE3\x82\xB3");  // half-width katakana
}

TEST(FoldHashtag, KeepsEmojiAndJoiners) {
  for (const std::string kept :
       {"\xF0\x9F\x90\x88", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9", "\xE2\x9D\xA4\xEF\xB8\x8F", "\xE7\x8C\xAB",
        "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7", "snake_case", "a b", ""}) {
    EXPECT_EQ(fold(kept), kept);
  }
}

TEST(FoldHashtag, IsStableOnEveryCodePoint) {
  constexpr char32_t kBlock = 256, kEnd = 0x110000;
  for (char32_t first = 0; first < kEnd; first += kBlock) {
    std::string text;
    for (char32_t c = std::max<char32_t>(first, 1); c < first + kBlock; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      // With a letter before and an accent after, so that composition applies.
      text.push_back('e');
      append_utf8(text, c);
      append_utf8(text, 0x301);
    }
    const auto once = fold(text);
    ASSERT_EQ(fold(once), once) << std::hex << static_cast<unsigned>(first);
  }
}

TEST(FoldHashtag, BrokenUtf8DoesNotBreakIt) { EXPECT_EQ(fold("A\xFF"), "a\xEF\xBF\xBD"); }

}  // namespace
}  // namespace reeltag::hashtag

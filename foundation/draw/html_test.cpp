#include "reeltag/draw/html.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace reeltag::draw {
namespace {

TEST(Html, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape("<script>\"a\" & 'b'</script>"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(escape(std::string_view("a\0b\nc\x7f", 6)), "a b c ");
}

TEST(Html, KeepsEveryScriptAndReplacesBrokenUtf8) {
  EXPECT_EQ(escape("caf\u00e9 \u65e5\u672c \U0001F600"), "caf\u00e9 \u65e5\u672c \U0001F600");
  EXPECT_EQ(escape("a\xFF\xC3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(escape("\xC0\xBC"), "\uFFFD\uFFFD");            // an overlong '<'
  EXPECT_EQ(escape("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // half a surrogate pair
}

TEST(Html, ShortensByCharactersNotBytes) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdefg", 6), "abcde\u2026");
  EXPECT_EQ(shorten("\u65e5\u672c\u8a9e\u5b57", 3), "\u65e5\u672c\u2026");
}

TEST(Html, NumbersAreReadable) {
  EXPECT_EQ(fixed(3.14159, 2), "3.14");
  EXPECT_EQ(fixed(-0.001, 1), "0.0");
  EXPECT_EQ(fixed(std::nan(""), 1), "n/a");
  EXPECT_EQ(percent(0.5432), "54.3&nbsp;%");
  EXPECT_EQ(count(1234567), "1&#8239;234&#8239;567");
  EXPECT_EQ(count(-12), "-12");
}

}  // namespace
}  // namespace reeltag::draw

#include "key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reeltag/base/error.hpp"

namespace reeltag::store {
namespace {

// The reason why the key is refused; empty if it is accepted.
std::string refusal(const std::string& key, void (*check)(std::string_view)) {
  try {
    check(key);
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::invalid_argument);
    return e.what();
  }
  return {};
}

TEST(Key, LengthsAreAcceptedToTheLimit) {
  const std::string name(255, 'n');
  const std::string longest = name + "/" + name + "/" + name + "/" + std::string(kMaxKeyBytes - 3 * 256, 'x');
  EXPECT_EQ(refusal(longest, check_key), "");
  EXPECT_THAT(refusal(longest + "x", check_key), testing::HasSubstr("longer than 900 bytes"));
  EXPECT_THAT(refusal(name + "n", check_key), testing::HasSubstr("longer than 255 bytes"));
  EXPECT_THAT(refusal("a/" + name + "n/b", check_key), testing::HasSubstr("longer than 255 bytes"));
}

TEST(Key, MessagesSayTheRuleAndArePrintable) {
  EXPECT_EQ(refusal("", check_key), "a key must not be empty");
  EXPECT_THAT(refusal("/abs", check_key), testing::HasSubstr("without leading, trailing or double '/'"));
  EXPECT_THAT(refusal("a/../b", check_key), testing::HasSubstr("could leave the store"));
  EXPECT_EQ(refusal("a\nb", check_key), "key 'a\\x0ab' has a control character");
  EXPECT_EQ(refusal(std::string("a\0b", 3), check_key), "key 'a\\x00b' has a control character");
  EXPECT_EQ(refusal("del\x7F", check_key), "key 'del\\x7f' has a control character");
  EXPECT_EQ(refusal("\xFF", check_key), "key '\\xff' is not UTF-8");
  EXPECT_THAT(refusal(".reeltag-tmp/x", check_key), testing::HasSubstr("half-written"));
  EXPECT_EQ(refusal(".reeltag-tmp2/x", check_key), "");
  EXPECT_EQ(refusal("a/.reeltag-tmp", check_key), "");
}

TEST(Key, Utf8IsCheckedStrictly) {
  for (const std::string good : {"\x7E", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                                 "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(refusal(good, check_key), "") << testing::PrintToString(good);
  }
  // Overlong forms, surrogates, beyond U+10FFFF, lone and missing continuation bytes.
  for (const std::string bad :
       {"\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\x80", "a\xC3", "\xE2\x82", "\xE2\x82/", "\xF0\x9F\x90"}) {
    EXPECT_THAT(refusal(bad, check_key), testing::HasSubstr("not UTF-8")) << testing::PrintToString(bad);
  }
}

TEST(Key, APrefixMayEndAnywhere) {
  for (const std::string good : {"", "a", "a/", "a/b", "a/.", "a/..", ".reel"})
    EXPECT_EQ(refusal(good, check_prefix), "");
  for (const std::string bad : {"/", "a//", "../", "a/../", "./a", ".reeltag-tmp/", "\x01"}) {
    EXPECT_NE(refusal(bad, check_prefix), "") << bad;
  }
}

}  // namespace
}  // namespace reeltag::store

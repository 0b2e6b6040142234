#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/collect.hpp"

namespace reeltag::collect {
namespace {

TEST(NormalizeHashtag, StripsHashesAndSpaceAndFoldsCase) {
  EXPECT_EQ(normalize_hashtag("#Tennis"), "tennis");
  EXPECT_EQ(normalize_hashtag("  ##FYP "), "fyp");
  EXPECT_EQ(normalize_hashtag("# tennis \n serve"), "tennis serve");
  EXPECT_EQ(normalize_hashtag("c#"), "c#");
  EXPECT_EQ(normalize_hashtag("Straße"), "strasse");
}

TEST(NormalizeHashtag, IsNfkcAndKeepsEveryScriptAndEmoji) {
  EXPECT_EQ(normalize_hashtag("＃ＦＹＰ"), "fyp");  // full width
  EXPECT_EQ(normalize_hashtag("fypシ"), "fypシ");
  EXPECT_EQ(normalize_hashtag("ﬁt"), "fit");                  // ligature
  EXPECT_EQ(normalize_hashtag("cafe\u0301"), "caf\u00e9");    // combining accent
  EXPECT_EQ(normalize_hashtag("Việt\u00a0Nam"), "việt nam");  // no-break space
  EXPECT_EQ(normalize_hashtag("ΟΔΟΣ"), normalize_hashtag("οδος"));
  EXPECT_EQ(normalize_hashtag("👩\u200d🚒"), "👩\u200d🚒");  // the joiner stays
}

TEST(NormalizeHashtag, IsEmptyWhereNothingIsLeft) {
  EXPECT_EQ(normalize_hashtag(""), "");
  EXPECT_EQ(normalize_hashtag("# #\t"), "");
  EXPECT_EQ(normalize_hashtag("bad\xff\xfe"), "");
  EXPECT_EQ(normalize_hashtag(std::string(5000, 'a')), "");
}

TEST(NormalizeHashtag, IsIdempotent) {
  for (const auto* text : {"#ǅ", "ﬀ", "İstanbul", "ᾳ\u0345", "Å\u0327", "①②", "\u1E9E", "#\u2003#x", "ｶﾞ", "ℌ\u0301"}) {
    const auto once = normalize_hashtag(text);
    EXPECT_EQ(normalize_hashtag(once), once) << text;
    EXPECT_NE(once, "");
  }
}

TEST(NormalizeHashtags, DropsEmptyAndRepeatedAndKeepsTheOrder) {
  const std::vector<std::string> typed{"#Dance", "", "fun", "dance", "#", "FUN", "cat"};
  EXPECT_THAT(normalize_hashtags(typed), testing::ElementsAre("dance", "fun", "cat"));
}

TEST(HashtagsIn, AreWhatSitesTakeForOne) {
  using testing::ElementsAre;
  EXPECT_THAT(hashtags_in("so cute #Cats#dogs! #cats, #a_b-c # #"), ElementsAre("cats", "dogs", "a_b"));
  EXPECT_THAT(hashtags_in("no tag & 100%"), testing::IsEmpty());
  EXPECT_THAT(hashtags_in("#humor⚠️ #проверка. ＃日本 #नमस्ते\n#x"),
              ElementsAre("humor⚠️", "проверка", "日本", "नमस्ते", "x"));
  EXPECT_THAT(hashtags_in("#\xFF #ok\xC3"), ElementsAre("ok"));
}

}  // namespace
}  // namespace reeltag::collect

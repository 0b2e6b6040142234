#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "reeltag/hashtag.hpp"

namespace reeltag::hashtag {
namespace {

TEST(NormalizeHashtag, StripsHashesAndSpaceAndFoldsCase) {
  EXPECT_EQ(normalize("#Tennis"), "tennis");
  EXPECT_EQ(normalize("  ##FYP "), "fyp");
  EXPECT_EQ(normalize("# tennis \n serve"), "tennis serve");
  EXPECT_EQ(normalize("c#"), "c#");
  EXPECT_EQ(normalize("Straße"), "strasse");
}

TEST(NormalizeHashtag, IsNfkcAndKeepsEveryScriptAndEmoji) {
  EXPECT_EQ(normalize("＃ＦＹＰ"), "fyp");  // full width
  EXPECT_EQ(normalize("fypシ"), "fypシ");
  EXPECT_EQ(normalize("ﬁt"), "fit");                  // ligature
  EXPECT_EQ(normalize("cafe\u0301"), "caf\u00e9");    // combining accent
  EXPECT_EQ(normalize("Việt\u00a0Nam"), "việt nam");  // no-break space
  EXPECT_EQ(normalize("ΟΔΟΣ"), normalize("οδος"));
  EXPECT_EQ(normalize("👩\u200d🚒"), "👩\u200d🚒");  // the joiner stays
}

TEST(NormalizeHashtag, IsEmptyWhereNothingIsLeft) {
  EXPECT_EQ(normalize(""), "");
  EXPECT_EQ(normalize("# #\t"), "");
  EXPECT_EQ(normalize("bad\xff\xfe"), "");
  EXPECT_EQ(normalize(std::string(5000, 'a')), "");
}

TEST(NormalizeHashtag, IsIdempotent) {
  for (const auto* text : {"#ǅ", "ﬀ", "İstanbul", "ᾳ\u0345", "Å\u0327", "①②", "\u1E9E", "#\u2003#x", "ｶﾞ", "ℌ\u0301"}) {
    const auto once = normalize(text);
    EXPECT_EQ(normalize(once), once) << text;
    EXPECT_NE(once, "");
  }
}

TEST(NormalizeHashtags, DropsEmptyAndRepeatedAndKeepsTheOrder) {
  const std::vector<std::string> typed{"#Dance", "", "fun", "dance", "#", "FUN", "cat"};
  EXPECT_THAT(normalize_all(typed), testing::ElementsAre("dance", "fun", "cat"));
}

TEST(HashtagsIn, AreWhatSitesTakeForOne) {
  using testing::ElementsAre;
  EXPECT_THAT(find_in_caption("so cute #Cats#dogs! #cats, #a_b-c # #"), ElementsAre("cats", "dogs", "a_b"));
  EXPECT_THAT(find_in_caption("no tag & 100%"), testing::IsEmpty());
  EXPECT_THAT(find_in_caption("#humor⚠️ #проверка. ＃日本 #नमस्ते\n#x"),
              ElementsAre("humor⚠️", "проверка", "日本", "नमस्ते", "x"));
  EXPECT_THAT(find_in_caption("#\xFF #ok\xC3"), ElementsAre("ok"));
}

// The page's tests read the same file.
nlohmann::json vectors() {
  std::ifstream file(REELTAG_SOURCE_DIR "/foundation/hashtag/vectors.json");
  return nlohmann::json::parse(file);
}

TEST(HashtagVectors, AreNormalizedAsWritten) {
  const auto all = vectors();
  for (const auto& row : all.at("normalize")) {
    const auto typed = row.at("typed").get<std::string>(), want = row.at("hashtag").get<std::string>();
    EXPECT_EQ(normalize(typed), want) << typed;
    EXPECT_EQ(normalize(want), want) << typed;
  }
}

TEST(HashtagVectors, AreFoundInCaptionsAsWritten) {
  const auto all = vectors();
  for (const auto& row : all.at("captions")) {
    const auto caption = row.at("caption").get<std::string>();
    EXPECT_EQ(find_in_caption(caption), row.at("hashtags").get<std::vector<std::string>>()) << caption;
  }
}

}  // namespace
}  // namespace reeltag::hashtag

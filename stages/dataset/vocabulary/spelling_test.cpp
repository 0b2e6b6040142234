#include "vocabulary/spelling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reeltag::dataset {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Spelling, SeparatorsAndStretchedLettersGo) {
  EXPECT_THAT(joined("black_cat"), ElementsAre("blackcat"));
  EXPECT_THAT(joined("black-cat's"), ElementsAre("blackcats"));
  EXPECT_THAT(joined("two people"), ElementsAre("twopeople"));
  EXPECT_THAT(joined("coooool"), ElementsAre("cool", "col"));
  EXPECT_THAT(joined("cool"), IsEmpty());
  EXPECT_THAT(joined("реккк"), ElementsAre("рекк", "рек"));
  EXPECT_THAT(joined("100000"), IsEmpty());  // digits are not stretched letters
  EXPECT_THAT(joined("___"), IsEmpty());
  EXPECT_THAT(joined(""), IsEmpty());
}

TEST(Spelling, PicturesAtTheEndsGoButNotAllThereIs) {
  EXPECT_EQ(undecorated("pizza🍕"), "pizza");
  EXPECT_EQ(undecorated("❤️love❤️❤️"), "love");
  EXPECT_EQ(undecorated("🐈"), "🐈");
  EXPECT_EQ(undecorated("👨‍👩‍👧"), "👨‍👩‍👧");
  EXPECT_EQ(undecorated("travel🇯🇵"), "travel🇯🇵");  // a flag names a place
  EXPECT_EQ(undecorated("a🍕b"), "a🍕b");
  EXPECT_EQ(undecorated("2025"), "2025");
  EXPECT_EQ(undecorated("東京"), "東京");
}

TEST(Spelling, AccentsGoWhereTheyAreAccents) {
  EXPECT_EQ(without_accents("café"), "cafe");
  EXPECT_EQ(without_accents("xuhướng"), "xuhuong");
  EXPECT_EQ(without_accents("हिन्दी"), "हिन्दी");  // vowel signs stay
  EXPECT_EQ(without_accents("한국"), "한국");
  EXPECT_EQ(without_accents("がぎ"), "がぎ");
  EXPECT_EQ(without_accents("ทดสอบ"), "ทดสอบ");
}

TEST(Spelling, SingularsOfEnglish) {
  EXPECT_THAT(singulars("cars"), ElementsAre("car"));
  EXPECT_THAT(singulars("boxes"), ElementsAre("boxe", "box"));
  EXPECT_THAT(singulars("cities"), ElementsAre("citie", "city"));
  EXPECT_THAT(singulars("dances"), ElementsAre("dance"));
  for (const char* none : {"glass", "bus", "s", "", "gatos2", "приколыs", "as"}) {
    EXPECT_THAT(singulars(none), IsEmpty()) << none;
  }
}

TEST(Spelling, BareIsWhatIsLeftOfPlay) {
  for (const char* played : {"fyp", "fyppppp", "fypシ", "fypシ゚", "fyp🔥", "f_y_p", "fyp2025", "FYP"}) {
    EXPECT_EQ(bare(played), played == std::string("FYP") ? "FYP" : "fyp") << played;
  }
  EXPECT_EQ(bare("fypシviral"), "fypviral");
  EXPECT_EQ(bare("f1"), "f1");
  EXPECT_EQ(bare("2025"), "202");
  EXPECT_EQ(bare("東京タワー"), "東京タワー");
  EXPECT_EQ(bare("🐈"), "");
  EXPECT_EQ(bare(""), "");
}

TEST(Spelling, OneEdit) {
  const auto near = [](const char* a, const char* b, bool ends = false) {
    EXPECT_EQ(one_edit(code_points(a), code_points(b), ends), one_edit(code_points(b), code_points(a), ends));
    return one_edit(code_points(a), code_points(b), ends);
  };
  EXPECT_TRUE(near("color", "colour"));
  EXPECT_TRUE(near("relatable", "relateable"));
  EXPECT_TRUE(near("viral", "vrial"));
  EXPECT_TRUE(near("grey", "gray"));
  EXPECT_TRUE(near("tiktok", "tiktokk"));
  EXPECT_TRUE(near("рекомендации", "рекамендации"));
  EXPECT_FALSE(near("color", "color"));
  EXPECT_FALSE(near("dance", "dancer"));
  EXPECT_FALSE(near("dating", "rating"));
  EXPECT_FALSE(near("latmat7", "latmat8"));
  EXPECT_FALSE(near("class2024x", "class2025x"));
  EXPECT_FALSE(near("brother", "mother"));
  EXPECT_TRUE(near("dance", "dancer", true));
  EXPECT_FALSE(near("dating", "rating", true));
  EXPECT_FALSE(near("latmat7", "latmat8", true));
  EXPECT_FALSE(near("", "abc"));
  EXPECT_FALSE(near("", ""));
}

TEST(Spelling, OneEditSharesADeletion) {
  for (const auto& [a, b] : {std::pair{"color", "colour"}, {"viral", "vrial"}, {"grey", "gray"}}) {
    const auto of_a = deletions(code_points(a)), of_b = deletions(code_points(b));
    EXPECT_TRUE(std::any_of(of_a.begin(), of_a.end(), [&, &b = of_b](const auto& one) {
      return std::find(b.begin(), b.end(), one) != b.end();
    })) << a;
  }
  EXPECT_THAT(deletions(U"aab"), ElementsAre(U"aab", U"ab", U"aa"));
}

}  // namespace
}  // namespace reeltag::dataset

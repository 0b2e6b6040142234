#include "words.hpp"

#include <gmock/gmock.h>

namespace reeltag::index {
namespace {

std::string cut(std::string_view text) { return spaced(words_of(text)); }

TEST(Words, AreLettersAndDigitsInTheSpellingOfHashtags) {
  EXPECT_EQ(cut("Playing  GUITAR, at 9pm!"), "playing guitar at 9pm");
  EXPECT_EQ(cut("#stop_it (now)"), "stop it now");
  EXPECT_EQ(cut("Don't rock\u2019n\u2019roll"), "dont rocknroll");
  EXPECT_EQ(cut("CAFE\u0301 Stra\u00DFe \uFF23\uFF21\uFF34"), "cafe strasse cat");
  EXPECT_EQ(cut("\u041A\u043E\u0442 \u03A3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2"),
            "\u043A\u043E\u0442 \u03C3\u03B9\u03C3\u03C5\u03C6\u03BF\u03C3");
  EXPECT_EQ(cut("\u0939\u093F\u0928\u094D\u0926\u0940"), "\u0939\u093F\u0928\u094D\u0926\u0940");  // one Hindi word
}

TEST(Words, AreAlsoHadAsTheyWereSpelled) {
  EXPECT_EQ(spaced(words_of("Caf\u00E9 KRAK\u00D3W", Spelling::exact)), "caf\u00E9 krak\u00F3w");
}

TEST(Words, OfScriptsWithoutBlanksAreSingleLetters) {
  EXPECT_EQ(cut("東京タワー"), "東 京 タ ワ ー");
  EXPECT_EQ(cut("고양이가"), "고 양 이 가");
  EXPECT_EQ(cut("กิน"), "กิ น");  // the vowel sign stays with its letter
  EXPECT_EQ(cut("猫cat猫"), "猫 cat 猫");
}

TEST(Words, AreEmojiWithoutSkinJoinersAndSelectors) {
  EXPECT_EQ(cut("guitar🎸🎸"), "guitar 🎸 🎸");
  EXPECT_EQ(cut("👍🏽 👍"), "👍 👍");
  EXPECT_EQ(cut("❤️"), "❤");
  EXPECT_EQ(cut("👩‍🍳"), "👩 🍳");
  EXPECT_EQ(cut("🇫🇷🇺🇸 🇫"), "🇫🇷 🇺🇸 🇫");
}

TEST(Words, OfNothingAreNone) {
  for (const std::string_view text : {"", " ", "!?#\"'*()", "\xFF\xC3", "\u0301", "\xEF\xBF\xBD"}) {
    EXPECT_TRUE(words_of(text).empty()) << text;
  }
  EXPECT_EQ(cut(std::string_view("a\0b", 3)), "a b");
  EXPECT_EQ(cut("a\xFF"
                "b"),
            "a b");
}

TEST(Words, HoldNothingThatFullTextSearchWouldReadAsSyntax) {
  std::string ascii;
  for (char c = 1; c < 127; ++c) ascii += c;
  for (const auto& word : words_of(ascii)) {
    EXPECT_EQ(word.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos) << word.text;
  }
}

TEST(Parts, AreWordsAndRunsOfUnspacedLetters) {
  const auto parts = parts_of("#cat 東京 タワーcat🎸");
  std::vector<std::string> joined;
  joined.reserve(parts.size());
  for (const auto& part : parts) joined.push_back(part.joined());
  EXPECT_THAT(joined, testing::ElementsAre("cat", "東京", "タワー", "cat", "🎸"));
  EXPECT_TRUE(parts[0].after_hash);
  EXPECT_FALSE(parts[3].after_hash);
  EXPECT_THAT(parts[1].words, testing::ElementsAre("東", "京"));
}

}  // namespace
}  // namespace reeltag::index

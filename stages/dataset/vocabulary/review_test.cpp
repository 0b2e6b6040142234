#include "reeltag/dataset/review.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "reeltag/base/file.hpp"
#include "reeltag/hashtag.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool chance(int percent) { return below(100) < percent; }

 private:
  std::mt19937 engine_;
};

// Ten subjects of four hashtags, two of them with two spellings; on all of them generic hashtags.
std::vector<TypedHashtags> site() {
  const std::vector<std::vector<std::string>> subjects{
      {"dance", "ballet", "salsa", "stage"},    {"car", "engine", "garage", "racetrack"},
      {"color", "brush", "canvas", "easel"},    {"news", "election", "minister", "debate"},
      {"new", "outfit", "jacket", "haul"},      {"cat", "kitten", "whiskers", "purr"},
      {"soccer", "goal", "league", "striker"},  {"cooking", "recipe", "kitchen", "noodles"},
      {"piano", "chords", "melody", "recital"}, {"hiking", "summit", "trail", "tent"},
  };
  Dice dice(7);
  std::vector<TypedHashtags> rows;
  for (int i = 0; i < 3000; ++i) {
    TypedHashtags row;
    row.group = "author " + std::to_string(dice.below(900));
    const auto& subject = subjects[static_cast<std::size_t>(dice.below(10))];
    for (const auto& word : subject) {
      if (dice.chance(60)) row.hashtags.push_back(word);
    }
    for (auto& word : row.hashtags) {
      if (word == "car" && dice.chance(40)) word = "cars";
      if (word == "color" && dice.chance(30)) word = "colour";
    }
    if (dice.chance(60)) row.hashtags.emplace_back("fyp");
    if (dice.chance(40)) row.hashtags.emplace_back("foryou");
    if (dice.chance(25)) row.hashtags.emplace_back("viral");
    if (dice.chance(2)) row.hashtags.emplace_back("fypppp");
    if (dice.chance(2)) row.hashtags.emplace_back("viralforyou");
    if (i % 100 == 0)
      row.hashtags = {subject[static_cast<std::size_t>(i / 100 % 4)], "fyp", "foryou", "viral", "seenbyall"};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> names(const Review& found) {
  std::vector<std::string> result;
  for (const auto& one : found.vocabulary) result.push_back(one.hashtag);
  return result;
}
std::vector<std::string> generic(const Review& found) {
  std::vector<std::string> result;
  for (const auto& one : found.generic) result.push_back(one.hashtag);
  return result;
}
const VocabularyEntry* kept(const Review& found, const std::string& hashtag) {
  for (const auto& one : found.vocabulary) {
    if (one.hashtag == hashtag) return &one;
  }
  return nullptr;
}

TEST(ReviewGeneric, WhatStandsEverywhereAndSaysNothingGoes) {
  const auto found = review(site(), {}, {});
  EXPECT_THAT(generic(found),
              testing::UnorderedElementsAre("fyp", "foryou", "viral", "fypppp", "viralforyou", "seenbyall"));
  for (const char* subject : {"dance", "cat", "cooking", "piano"}) EXPECT_THAT(names(found), Contains(subject));
  std::map<std::string, ExcludedHashtag> left;
  for (const auto& one : found.generic) left.emplace(one.hashtag, one);
  EXPECT_THAT(left.at("fyp").reason, HasSubstr("% of the videos with hashtags, and says"));
  EXPECT_LT(left.at("fyp").companionship.bits, 0.1);
  EXPECT_EQ(left.at("fypppp").reason, "a form of #fyp");
  EXPECT_EQ(left.at("viralforyou").reason, "made of #viral and #foryou");
  EXPECT_THAT(left.at("seenbyall").reason, HasSubstr("other generic ones in 100 %"));
  EXPECT_GT(kept(found, "dance")->companionship.bits, 1.0);
}

TEST(ReviewGeneric, WithoutCompanionsNothingIsKnownAndNothingIsGeneric) {
  std::vector<TypedHashtags> rows(400, {.hashtags = {"one"}, .group = ""});
  for (int i = 0; i < 100; ++i) rows.push_back({.hashtags = {"other"}, .group = ""});
  const auto found = review(rows, {}, {});
  EXPECT_THAT(found.generic, IsEmpty());
  EXPECT_THAT(names(found), ElementsAre("one", "other"));
}

TEST(ReviewMerges, SpellingsThatBehaveAlikeMeet) {
  const auto found = review(site(), {}, {});
  ASSERT_NE(kept(found, "car"), nullptr);
  EXPECT_THAT(kept(found, "car")->spellings, ElementsAre("cars"));
  ASSERT_NE(kept(found, "color"), nullptr);
  EXPECT_THAT(kept(found, "color")->spellings, ElementsAre("colour"));
  EXPECT_EQ(kept(found, "colour"), nullptr);
  for (const auto& merge : found.merges) EXPECT_THAT(merge.reason, HasSubstr("alike")) << merge.hashtag;
}

TEST(ReviewMerges, LookingAlikeIsNotEnough) {
  const auto found = review(site(), {}, {});
  EXPECT_NE(kept(found, "news"), nullptr);
  EXPECT_NE(kept(found, "new"), nullptr);
  ASSERT_EQ(found.suggested.size(), 1U);
  EXPECT_THAT(found.suggested[0].reason, HasSubstr("plural"));
}

TEST(ReviewMerges, SeparatorsAndStretchedLettersNeedNoEvidence) {
  std::vector<TypedHashtags> rows(20, {.hashtags = {"blackcat"}, .group = ""});
  rows.push_back({.hashtags = {"black_cat"}, .group = ""});
  rows.push_back({.hashtags = {"blackcaaaaat"}, .group = ""});
  const auto found = review(rows, {}, {});
  ASSERT_THAT(names(found), ElementsAre("blackcat"));
  EXPECT_EQ(found.vocabulary[0].videos, 22);
  EXPECT_THAT(found.vocabulary[0].spellings, testing::UnorderedElementsAre("black_cat", "blackcaaaaat"));
}

TEST(ReviewMerges, WhatAlwaysStandsTogetherIsOne) {
  std::vector<TypedHashtags> rows;
  for (int i = 0; i < 40; ++i) rows.push_back({.hashtags = {"film", "premiere"}, .group = std::to_string(i % 9)});
  for (int i = 0; i < 200; ++i) rows.push_back({.hashtags = {"garden", i % 2 == 0 ? "roses" : "tulips"}, .group = ""});
  const auto found = review(rows, {.generic_share = 1.0}, {});
  EXPECT_THAT(kept(found, "film")->spellings, ElementsAre("premiere"));
  EXPECT_THAT(found.merges[0].reason, HasSubstr("both in 40 of the 40 videos"));
  EXPECT_NE(kept(found, "tulips"), nullptr);
}

TEST(ReviewSupport, CountsVideosOnceGroupsAndTheMode) {
  std::vector<TypedHashtags> rows(10, {.hashtags = {"first", "second"}, .group = ""});
  for (int i = 0; i < 10; ++i) rows.push_back({.hashtags = {"third", "third", "first"}, .group = "one author"});
  const ReviewOptions options{.min_support = 10, .generic_share = 1.0};
  EXPECT_THAT(names(review(rows, options, {})), ElementsAre("first", "second"));
  EXPECT_EQ(review(rows, options, {}).vocabulary[0].videos, 20);
  EXPECT_EQ(review(rows, options, {}).rare, 1);  // third, of one author
  auto single = options;
  single.labels = "single";
  EXPECT_THAT(names(review(rows, single, {})), ElementsAre("first"));
  auto most = options;
  most.max_hashtags = 1;
  EXPECT_THAT(names(review(rows, most, {})), ElementsAre("first"));
}

TEST(ReviewDecisions, GoBeforeAllStatistics) {
  const Decisions decided{.vocabulary = {"cars", "viral", "nobody"},
                          .spellings = {{"kitten", "cat"}, {"ballet", "dancing"}},
                          .out = {"piano"}};
  const auto found = review(site(), {}, decided);
  EXPECT_EQ(names(found)[0], "cars");  // decided ones first, in their order
  EXPECT_EQ(names(found)[1], "viral");
  EXPECT_THAT(names(found), Not(Contains("nobody")));
  EXPECT_NE(kept(found, "car"), nullptr);
  EXPECT_THAT(kept(found, "car")->spellings, IsEmpty());
  EXPECT_THAT(kept(found, "cat")->spellings, ElementsAre("kitten"));
  EXPECT_THAT(kept(found, "dancing")->spellings, ElementsAre("ballet"));
  EXPECT_EQ(kept(found, "piano"), nullptr);
  EXPECT_THAT(generic(found), Not(Contains("viral")));
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_EQ(found.blocked[0].reason, "decided");
}

TEST(ReviewEdges, EmptyOneAndWrongOptions) {
  const auto none = review({}, {}, {});
  EXPECT_EQ(none.videos, 0);
  EXPECT_THAT(none.vocabulary, IsEmpty());
  EXPECT_TRUE(nlohmann::json::parse(to_json(none)).is_object());
  const std::vector<TypedHashtags> untyped(5);
  EXPECT_EQ(review(untyped, {}, {}).tagged, 0);
  const std::vector<TypedHashtags> one{{.hashtags = {"🐈"}, .group = ""}};
  EXPECT_THAT(names(review(one, {.min_support = 1, .min_groups = 1}, {})), ElementsAre("🐈"));
  EXPECT_THROW(review(one, {.labels = "both"}, {}), Exception);
  EXPECT_THROW(review(one, {.min_support = 0}, {}), Exception);
  EXPECT_THROW(review(one, {.generic_share = 2.0}, {}), Exception);
}

class DecisionFiles : public testing::Test {
 protected:
  Decisions read(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    return read_decisions(file_);
  }
  std::string error(const std::string& text) {
    try {
      read(text);
    } catch (const Exception& e) {
      return std::string(code_name(e.code())) + ": " + e.what();
    }
    return "nothing thrown";
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "v.txt";
};

TEST_F(DecisionFiles, HaveThreeKindsOfLines) {
  const auto d =
      read("\xEF\xBB\xBF# head\nTennis  # 9 videos\r\n\n color = Colour, COLOR,kolor\n- Fyp # generic\ntennis\n");
  EXPECT_THAT(d.vocabulary, ElementsAre("tennis", "color"));
  EXPECT_THAT(d.spellings, ElementsAre(testing::Pair("colour", "color"), testing::Pair("kolor", "color")));
  EXPECT_THAT(d.out, ElementsAre("fyp"));
  EXPECT_THAT(read("").vocabulary, IsEmpty());
  EXPECT_THAT(read("=))\nc#\na-b\n").vocabulary, ElementsAre("=))", "c#", "a-b"));
}

TEST_F(DecisionFiles, ContradictionsNameTheirLine) {
  EXPECT_THAT(error("a\n- a\n"), HasSubstr("invalid_config: " + file_.string() + ":2"));
  EXPECT_THAT(error("- a\na\n"), HasSubstr(":2"));
  EXPECT_THAT(error("a = b\nb\n"), HasSubstr("a spelling of another hashtag"));
  EXPECT_THAT(error("b\na = b\n"), HasSubstr("a line of its own"));
  EXPECT_THAT(error("a = b\nc = b\n"), HasSubstr("#c and of #a"));
  EXPECT_THAT(error("a = b\n- b\n"), HasSubstr(":2"));
  EXPECT_THAT(error("- b\na = b\n"), HasSubstr("puts out"));
  EXPECT_THAT(error("a = ,b\n"), HasSubstr("no hashtag"));
  EXPECT_THAT(error("a\n\xff\xfe\n"), HasSubstr(":2 is no hashtag"));
}

TEST_F(DecisionFiles, QuotesKeepWhatWouldBeReadAsSomethingElse) {
  const auto d = read(
      "\"rock, paper\"  # 3 videos, \"quoted\"\n\"x #y\" = \"a = b\", c++\n- \"- dash\" # out\nplain, with comma\n"
      "\"say \\\"hi\\\" \\\\o/\"\n");
  EXPECT_THAT(d.vocabulary, ElementsAre("rock, paper", "x #y", "plain, with comma", "say \"hi\" \\o/"));
  EXPECT_THAT(d.spellings, ElementsAre(testing::Pair("a = b", "x #y"), testing::Pair("c++", "x #y")));
  EXPECT_THAT(d.out, ElementsAre("- dash"));
  EXPECT_THAT(error("a\n\"never closed\n"), HasSubstr(":2 has a quote that is never closed"));
  EXPECT_THAT(error("\"a\" b\n"), HasSubstr("has a quote that is never closed, or text behind it"));
}

// Every hashtag that an import accepts is in the file of its review, and is read back.
TEST_F(DecisionFiles, EveryHashtagIsReadBack) {
  const std::vector<std::string> pieces{"a", "rock", ",", " ",  "=", "#",  "-",   "\"", "\\",
                                        "+", ";",    "'", "😀", ".", "- ", " = ", " #"};
  Dice dice(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<TypedHashtags> rows;
    std::set<std::string> typed;
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (int n = 1 + dice.below(6); n > 0; --n)
        text += pieces[static_cast<std::size_t>(dice.below(static_cast<int>(pieces.size())))];
      const auto hashtag = hashtag::normalize(text);
      if (hashtag.empty()) continue;
      typed.insert(hashtag);
      rows.push_back({.hashtags = {hashtag}, .group = std::to_string(i)});
    }
    const auto found = review(rows, {.min_support = 1, .min_groups = 1}, {});
    const auto decided = read(review_text(found));
    std::set<std::string> kept(decided.vocabulary.begin(), decided.vocabulary.end());
    for (const auto& [spelling, into] : decided.spellings) kept.insert(spelling);
    kept.insert(decided.out.begin(), decided.out.end());
    EXPECT_EQ(kept, typed) << round;
  }
}

// For any input, the file of a review reads back as the review, independent of row and hash table order.
TEST_F(DecisionFiles, HoldAnyReviewOfAnyScript) {
  const std::vector<std::string> typed{
      "fyp",      "fyppp",     "fypシ", "東京",       "とうきょう", "кот",   "коты", "हिन्दी", "ทดสอบ", "한국",
      "שלום",     "مرحبا",     "🐈",    "🐈‍⬛", "❤️",          "love❤️", "love", "a, b",  "x = y", "- dash",
      "c#",       "two words", "2025",  "2024",       "=",          "-",     "çok",  "cok",   "viral", "vairal",
      "viralfyp", "cars",      "car",   "boxes",      "box",        "😀😀",  "á"};
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Dice dice(seed);
    std::vector<TypedHashtags> rows;
    const int videos = dice.below(120), most = 1 + dice.below(9);
    for (int i = 0; i < videos; ++i) {
      std::vector<std::string> hashtags;
      for (int n = dice.below(most + 1); n > 0; --n)
        hashtags.push_back(typed[static_cast<std::size_t>(std::min(dice.below(37), dice.below(37)))]);
      rows.push_back({.hashtags = hashtag::normalize_all(hashtags), .group = std::to_string(dice.below(40))});
    }
    const ReviewOptions options{.labels = dice.chance(50) ? "multi" : "single",
                                .min_support = 1 + dice.below(4),
                                .min_groups = 1 + dice.below(2)};
    const auto found = review(rows, options, {});
    const auto decided = read(review_text(found));
    EXPECT_EQ(decided.vocabulary, names(found)) << seed;
    for (const auto& one : found.vocabulary) {
      for (const auto& spelling : one.spellings) EXPECT_EQ(decided.spellings.at(spelling), one.hashtag) << seed;
      EXPECT_GE(one.videos, options.min_support) << seed;
    }
    for (const auto& one : generic(found)) EXPECT_TRUE(decided.out.contains(one)) << seed << " " << one;
    std::shuffle(rows.begin(), rows.end(), std::mt19937(seed));
    EXPECT_EQ(to_json(review(rows, options, {})), to_json(found)) << seed;
  }
}

TEST(TypedRows, ComeFromManifestsWithoutVideosAndFromTheCatalog) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "meta.jsonl";
  std::ofstream(file) << R"({"hashtags":["#Cat","cat","FYP"],"author":"ann","group":"g"})" << "\n"
                      << R"({"hashtags":"#a b","author":17})" << "\n\n"
                      << R"({"text":"none"})" << "\n";
  const auto rows = typed_in_manifest(file);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[0].hashtags, ElementsAre("cat", "fyp"));
  EXPECT_EQ(rows[0].group, "g");
  EXPECT_THAT(rows[1].hashtags, ElementsAre("a", "b"));
  EXPECT_EQ(rows[1].group, "17");
  EXPECT_THAT(rows[2].hashtags, IsEmpty());
  std::ofstream(file) << "{}\n[1]\n";
  EXPECT_THROW(typed_in_manifest(file), Exception);
  std::ofstream(file) << R"({"hashtags":[1]})" << "\n";
  EXPECT_THROW(typed_in_manifest(file), Exception);
  EXPECT_THROW(typed_in_manifest(folder.path() / "none.jsonl"), Exception);
  TestCatalog t;
  t.add_forty();
  EXPECT_EQ(typed_in_catalog(*t.catalog, {}).size(), 40U);
  EXPECT_EQ(typed_in_catalog(*t.catalog, {.source = "tiktok", .hashtag = {}}).size(), 0U);
  for (const auto& [id, outcome] : {std::pair{"1", "metadata_only"}, {"2", "private"}, {"3", "added"}}) {
    t.catalog->record({.post = catalog::Post{.site = "tiktok",
                                             .id = id,
                                             .source = "research",
                                             .video = std::string(id) == "3" ? std::string(64, 'a') : "",
                                             .outcome = outcome,
                                             .round = 0,
                                             .author = std::string(64, 'b'),
                                             .caption = "",
                                             .hashtags = {"#Cat"},
                                             .created = {},
                                             .attributes = "{}",
                                             .seen = 0}});
  }
  const auto all = typed_in_catalog(*t.catalog, {});
  ASSERT_EQ(all.size(), 41U);
  EXPECT_THAT(all.back().hashtags, ElementsAre("cat"));
  EXPECT_EQ(all.back().group, std::string(64, 'b'));
  EXPECT_EQ(typed_in_catalog(*t.catalog, {}, false).size(), 40U);
  EXPECT_EQ(typed_in_catalog(*t.catalog, {.source = "research", .hashtag = {}}).size(), 1U);
  EXPECT_EQ(typed_in_catalog(*t.catalog, {.source = "research", .hashtag = "CAT"}).size(), 1U);
  EXPECT_EQ(typed_in_catalog(*t.catalog, {.source = "research", .hashtag = "dog"}).size(), 0U);
}

}  // namespace
}  // namespace reeltag::dataset

#include "index_conformance.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <random>
#include <thread>

#include "child.hpp"

namespace reeltag::index {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string numbered(const std::string& word, int number) {
  std::string text = word;
  return text.append(std::to_string(number));
}

TEST_P(IndexConformance, AnEmptyIndexFindsNothing) {
  EXPECT_THAT(found("cat"), IsEmpty());
  EXPECT_FALSE(index_->predicted_by("a", {.name = "m"}));
  EXPECT_EQ(index_->stats().videos, 0);
  index_->put_texts({});
  index_->put_predictions({});
}

TEST_P(IndexConformance, AVideoWithoutTypedHashtagsIsFoundByAPredictedOne) {
  texts("a", "my evening");
  predict("a", {{"guitar", 0.8, {{1, 3}}}, {"room", 0.5, {{0, 9}}}});
  texts("b", "", {"beach"});
  for (const std::string query : {"guitar", "#guitar", "#GUITAR", "\uFF27uitar solo"}) {
    const auto hit = only(query);
    EXPECT_EQ(hit.video, "a") << query;
    EXPECT_DOUBLE_EQ(hit.score, 0.8);
    EXPECT_THAT(hit.why, ElementsAre(Why::predicted));
    EXPECT_THAT(hit.segments, ElementsAre(Segment{1, 3}));
    EXPECT_THAT(hit.named, ElementsAre(Tag{"guitar", 0.8, {{1, 3}}}));
    EXPECT_EQ(hit.caption, "my evening");
  }
}

TEST_P(IndexConformance, AccentsAndMarksNeedNotBeTyped) {
  texts("a", "un café à Kraków");
  texts("b", "\u0643\u064F\u0631\u064E\u0629\u064F \u0627\u0644\u0642\u064E\u062F\u064E\u0645");
  texts("c", "", {"\u0130zmir"});
  texts("d", "bún chả Hà Nội");
  predict("e", {{"fútbol", 0.8}});
  for (const auto& [query, video] :
       std::vector<std::pair<std::string, std::string>>{{"cafe", "a"},
                                                        {"krakow", "a"},
                                                        {"CAFÉ", "a"},
                                                        {"\u0643\u0631\u0629 \u0627\u0644\u0642\u062F\u0645", "b"},
                                                        {"#izmir", "c"},
                                                        {"\u0131zmir", "c"},
                                                        {"bun cha", "d"},
                                                        {"#hanoi", "d"},
                                                        {"futbol", "e"},
                                                        {"#FÚTBOL", "e"}}) {
    EXPECT_THAT(found(query), ElementsAre(video)) << query;
  }
}

TEST_P(IndexConformance, TheVerySpellingComesFirst) {
  texts("a", "a resume of the match");
  texts("b", "my r\u00E9sum\u00E9");
  texts("c", "another resume");
  EXPECT_THAT(found("r\u00E9sum\u00E9"), ElementsAre("b", "a", "c"));
  EXPECT_THAT(found("resume"), ElementsAre("a", "c", "b"));
}

TEST_P(IndexConformance, RemovedVideosAreNotFoundAgain) {
  texts("a", "a red cat", {"pets"});
  predict("a", {{"guitar", 0.8, {{1, 3}}}});
  texts("b", "a red dog", {"pets"});
  predict("b", {{"piano", 0.8, {{1, 3}}}});
  EXPECT_EQ(index_->remove([](const std::string& video) { return video == "a"; }), 1);
  for (const char* query : {"red", "pets"}) EXPECT_THAT(found(query), ElementsAre("b")) << query;
  for (const char* query : {"cat", "guitar"}) EXPECT_THAT(found(query), IsEmpty()) << query;
  EXPECT_THAT(found("piano"), ElementsAre("b"));
  EXPECT_EQ(index_->stats().videos, 1);
  EXPECT_EQ(index_->stats().hashtags, 1);
  EXPECT_EQ(index_->remove([](const std::string& video) { return video == "a"; }), 0);
  texts("a", "a red cat");
  predict("a", {{"guitar", 0.5}});
  EXPECT_THAT(found("guitar"), ElementsAre("a"));
}

TEST_P(IndexConformance, TheScoreIsWordsInTextsAndScoresOfNamedHashtags) {
  texts("a", "A cat on a red mat", {"Cat", "mat"});
  predict("a", {{"cat", 0.5, {{0, 2}}}, {"mat", 0.25, {{1, 4}, {6, 7}}}, {"dog", 0.9, {{8, 9}}}});
  const auto hit = only("cat mat tree");
  EXPECT_DOUBLE_EQ(hit.score, 2.75);
  EXPECT_THAT(hit.why, ElementsAre(Why::caption, Why::typed, Why::predicted));
  EXPECT_THAT(hit.segments, ElementsAre(Segment{0, 4}, Segment{6, 7}));
  ASSERT_EQ(hit.named.size(), 2U);
  EXPECT_EQ(hit.named[0].hashtag, "cat");
  EXPECT_DOUBLE_EQ(only("red").score, 1.0);
  EXPECT_THAT(only("red").why, ElementsAre(Why::caption));
  EXPECT_THAT(found("tree"), IsEmpty());
}

TEST_P(IndexConformance, PhrasesAndHashtagsWrittenTogetherMeanTheSame) {
  texts("typed", "", {"PlayingGuitar"});
  texts("caption", "Me, playing guitar!");
  texts("apart", "a guitar, playing");
  predict("joined", {{"playingguitar", 0.9, {}}});
  predict("blank", {{"playing guitar", 0.8, {}}});
  predict("other", {{"playing drums", 0.5, {}}});
  // Both words in texts score 2, a predicted hashtag its score, half a hashtag half of that.
  EXPECT_THAT(found("playing guitar"), ElementsAre("typed", "caption", "apart", "joined", "blank", "other"));
  EXPECT_THAT(found("#playingguitar"), ElementsAre("typed", "caption", "joined", "blank"));
  EXPECT_THAT(found("#playing_guitar"), ElementsAre("typed", "caption", "apart", "joined", "blank", "other"));
  EXPECT_THAT(found("guitar"), ElementsAre("caption", "apart", "blank"));
}

TEST_P(IndexConformance, EveryScriptAndEmojiIsFound) {
  texts("tower", "夜の東京タワー", {"東京"});
  texts("cat", "", {"かわいい猫"});
  texts("korean", "고양이가 잔다");
  texts("thai", "ฉันกินข้าว");
  texts("cyrillic", "Мой Кот");
  texts("thumb", "nice👍🏽");
  texts("flag", "🇫🇷");
  predict("guitar", {{"🎸", 0.7, {}}, {"猫", 0.5, {}}});
  EXPECT_THAT(found("東京タワー"), ElementsAre("tower"));
  EXPECT_THAT(found("#東京"), ElementsAre("tower"));
  EXPECT_THAT(found("京東"), IsEmpty());
  EXPECT_THAT(found("猫"), ElementsAre("cat", "guitar"));
  EXPECT_THAT(found("고양이"), ElementsAre("korean"));
  EXPECT_THAT(found("กิน"), ElementsAre("thai"));
  EXPECT_THAT(found("КОТ"), ElementsAre("cyrillic"));
  EXPECT_THAT(found("👍"), ElementsAre("thumb"));
  EXPECT_THAT(found("🇫🇷"), ElementsAre("flag"));
  EXPECT_THAT(found("🇷🇺"), IsEmpty());
  EXPECT_THAT(found("🎸"), ElementsAre("guitar"));
}

TEST_P(IndexConformance, AnyBytesMayBeAskedFor) {
  texts("a", "near or not and text_words caption", {"x"});
  for (const std::string query : {"",
                                  " ",
                                  "\"",
                                  "'",
                                  "*",
                                  "x*",
                                  "a\"b",
                                  "caption:near",
                                  "NEAR(near, 2)",
                                  "near OR x",
                                  "NOT",
                                  "^near",
                                  "- near",
                                  "(",
                                  "{caption}",
                                  "' OR 1=1 --",
                                  "%",
                                  "_",
                                  "\\",
                                  "\xFF\xFE",
                                  "near\xC3",
                                  "#",
                                  "##",
                                  "\u0301",
                                  "'; DROP TABLE video; --"}) {
    EXPECT_NO_THROW(index_->search(query, 5)) << query;
  }
  EXPECT_NO_THROW(index_->search(std::string("near\0x", 6), 5));
  EXPECT_NO_THROW(index_->search(std::string(1 << 20, 'x'), 5));
  EXPECT_NO_THROW(index_->search(std::string(1 << 20, '"'), 5));
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string query;
    for (auto n = random() % 40; n > 0; --n) query += static_cast<char>(random() % 256);
    EXPECT_NO_THROW(index_->search(query, 5)) << testing::PrintToString(query);
  }
  EXPECT_THAT(found("\xFFnear\""), ElementsAre("a"));
}

TEST_P(IndexConformance, EqualOnesComeInOrderOfEntryAndTheLimitCutsTheSameList) {
  for (int i = 9; i >= 0; --i) texts(numbered("v", i), "cat");
  predict("v3", {{"cat", 0.1, {}}});
  texts("v9", "a cat");  // changed, in its old place
  const auto all = found("cat");
  EXPECT_THAT(all, ElementsAre("v3", "v9", "v8", "v7", "v6", "v5", "v4", "v2", "v1", "v0"));
  for (std::size_t limit = 1; limit <= 11; ++limit) {
    const std::vector<std::string> head(all.begin(), all.begin() + static_cast<int>(std::min<std::size_t>(limit, 10)));
    EXPECT_EQ(found("cat", static_cast<std::int64_t>(limit)), head);
  }
  EXPECT_EQ(error_of([&] { index_->search("cat", 0); }).code, Code::invalid_argument);
}

TEST_P(IndexConformance, NewTextsReplaceTheOldAndPredictionsStay) {
  texts("a", "old words", {"oldtag"});
  predict("a", {{"cat", 0.5, {}}});
  texts("a", "new words", {"newtag"});
  EXPECT_THAT(found("old"), IsEmpty());
  EXPECT_THAT(found("oldtag"), IsEmpty());
  EXPECT_THAT(found("new"), ElementsAre("a"));
  EXPECT_THAT(found("cat"), ElementsAre("a"));
  texts("a", "");
  EXPECT_THAT(found("new words newtag"), IsEmpty());
  EXPECT_EQ(index_->stats().videos, 1);
}

TEST_P(IndexConformance, ANewPredictionReplacesTheOldAndTextsStay) {
  texts("a", "words");
  predict("a", {{"cat", 0.5, {}}, {"dog", 0.5, {}}});
  predict("a", {{"Dog", 0.2, {{0, 1}}}, {"dog", 0.7, {{2, 3}}}, {"dog", 0.6, {{4, 5}}}}, {.name = "other"});
  EXPECT_THAT(found("cat"), IsEmpty());
  EXPECT_DOUBLE_EQ(only("dog").score, 0.7);
  EXPECT_THAT(only("dog").segments, ElementsAre(Segment{2, 3}));
  EXPECT_THAT(found("words"), ElementsAre("a"));
  predict("a", {{"dog", 0.0, {{0, 1}}}});
  EXPECT_THAT(found("dog"), IsEmpty());
  predict("a", {});
  EXPECT_THAT(found("dog"), IsEmpty());
}

TEST_P(IndexConformance, KnowsWhichModelLooked) {
  predict("a", {}, {.name = "m", .version = "1"});
  EXPECT_TRUE(index_->predicted_by("a", {.name = "m", .version = "1"}));
  EXPECT_TRUE(index_->predicted_by("a", {.name = "m"}));
  EXPECT_FALSE(index_->predicted_by("a", {.name = "m", .version = "2"}));
  EXPECT_FALSE(index_->predicted_by("a", {.name = "n", .version = "1"}));
  EXPECT_FALSE(index_->predicted_by("b", {.name = "m"}));
  predict("b", {}, {.name = "m"});
  EXPECT_TRUE(index_->predicted_by("b", {.name = "m", .version = "2"}));
  texts("c", "no model");
  EXPECT_FALSE(index_->predicted_by("c", {.name = "m"}));
}

TEST_P(IndexConformance, StatsCount) {
  texts("a", "caption", {"x"});
  texts("b", "caption");
  predict("b", {{"cat", 0.5, {}}, {"dog", 0.5, {}}}, {.name = "n", .version = "1"});
  predict("c", {{"cat", 0.5, {}}});
  predict("d", {});
  predict("d", {{"gone", 1.0, {}}});
  predict("d", {});
  const auto stats = index_->stats();
  EXPECT_EQ(stats.videos, 4);
  EXPECT_EQ(stats.captioned, 2);
  EXPECT_EQ(stats.typed, 1);
  EXPECT_EQ(stats.predicted, 2);
  EXPECT_EQ(stats.hashtags, 2);
  EXPECT_THAT(stats.models, ElementsAre(std::pair(Model{"m", ""}, 2), std::pair(Model{"n", "1"}, 1)));
}

TEST_P(IndexConformance, RefusesRowsThatBreakARuleAndChangesNothing) {
  const std::vector<Texts> bad_texts{{.video = ""},
                                     {.video = "\xFF"},
                                     {.video = "a", .caption = std::string("x\0", 2)},
                                     {.video = "a", .typed = {""}}};
  for (const auto& bad : bad_texts) {
    const std::vector<Texts> rows{{.video = "good", .caption = "cat"}, bad};
    EXPECT_EQ(error_of([&] { index_->put_texts(rows); }).code, Code::invalid_argument);
  }
  const std::vector<Prediction> bad_predictions{
      {.video = "a", .model = {}},
      {.video = "a", .model = {.name = "m"}, .tags = {{"", 0.5, {}}}},
      {.video = "a", .model = {.name = "m"}, .tags = {{"cat", 1.5, {}}}},
      {.video = "a", .model = {.name = "m"}, .tags = {{"cat", std::numeric_limits<double>::quiet_NaN(), {}}}},
      {.video = "a", .model = {.name = "m"}, .tags = {{"cat", 0.5, {{2, 1}}}}}};
  for (const auto& bad : bad_predictions) {
    const std::vector<Prediction> rows{{.video = "good", .model = {.name = "m"}}, bad};
    EXPECT_EQ(error_of([&] { index_->put_predictions(rows); }).code, Code::invalid_argument);
  }
  EXPECT_EQ(index_->stats().videos, 0);
}

TEST_P(IndexConformance, ManyThreadsAndObjectsShareIt) {
  constexpr int kThreads = 4, kEach = 50;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const auto own = t % 2 == 0 ? place_->open() : nullptr;
        Index& index = own ? *own : *index_;
        for (int i = 0; i < kEach; ++i) {
          const Texts row{.video = numbered("v", t * kEach + i), .caption = "cat", .typed = {}};
          const Prediction seen{.video = row.video, .model = {.name = "m"}, .tags = {{numbered("tag", i), 0.5, {}}}};
          index.put_texts({&row, 1});
          index.put_predictions({&seen, 1});
          EXPECT_FALSE(index.search("cat", 5).empty());
        }
      });
    }
  }
  EXPECT_EQ(found("cat", 1000).size(), kThreads * kEach);
  EXPECT_EQ(found("tag7", 1000).size(), kThreads);
}

TEST_P(IndexConformance, AKillLosesNothingThatWasAcknowledgedAndWholeRowsStay) {
  index_.reset();  // one thread, no open connection across the fork
  for (int round = 0; round < 3; ++round) {
    test::Child child([&](const test::Child::WriteLine& say) {
      const auto index = place_->open();
      for (int i = 0;; ++i) {
        const auto name = numbered("r" + std::to_string(round) + "v", i);
        const Texts row{.video = name, .caption = "kill me", .typed = {}};
        const Prediction seen{.video = name, .model = {.name = "m"}, .tags = {{"tag", 0.5, {}}}};
        index->put_texts({&row, 1});
        index->put_predictions({&seen, 1});
        say(name);
      }
    });
    for (int i = 0; i < 5 * round + 3; ++i) child.read_line();
    child.kill();
    const auto index = place_->open();
    std::string line, last;
    for (const auto output = child.output(); const char c : output) {
      if (c != '\n') line += c;
      if (c == '\n') last = std::exchange(line, {});
    }
    EXPECT_TRUE(last.empty() || index->predicted_by(last, {.name = "m"})) << last;
    // Texts and their words, and tags and their names, are written together.
    const auto stats = index->stats();
    EXPECT_EQ(static_cast<std::int64_t>(index->search("kill", 100000).size()), stats.captioned);
    EXPECT_EQ(static_cast<std::int64_t>(index->search("#tag", 100000).size()), stats.predicted);
    EXPECT_GE(stats.predicted, 3);
  }
}

TEST_P(IndexConformance, ARareWordOutranksFrequentOnes) {
  std::vector<Texts> texts;
  for (int i = 0; i < 40; ++i)
    texts.push_back({.video = "common" + std::to_string(i), .caption = "a man in a room, take " + std::to_string(i)});
  texts.push_back({.video = "wanted", .caption = "kitesurfing"});
  index_->put_texts(texts);
  for (const auto* query : {"a man kitesurfing in a room", "kitesurfing in a", "a kitesurfing"}) {
    const auto hits = index_->search(query, 5);
    ASSERT_FALSE(hits.empty()) << query;
    EXPECT_EQ(hits.front().video, "wanted") << query;
  }
  EXPECT_EQ(index_->search("a", 100).size(), 40U);
}

}  // namespace
}  // namespace reeltag::index

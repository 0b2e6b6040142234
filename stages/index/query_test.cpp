#include "query.hpp"

#include <gmock/gmock.h>

namespace reeltag::index {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::Pair;

std::vector<std::string> phrases_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& phrase : parse_query(text).phrases) {
    std::string line;
    for (const auto& word : phrase.words) line += word + " ";
    out.push_back(line + std::to_string(phrase.covers));
  }
  return out;
}

TEST(Query, LooksForWordsAndForThemWrittenTogether) {
  EXPECT_THAT(phrases_of("Playing guitar"), ElementsAre("playing 1", "playingguitar 3", "guitar 2"));
  EXPECT_THAT(parse_query("Playing guitar").names, ElementsAre("guitar", "playing", "playingguitar"));
  EXPECT_THAT(parse_query("東京 タワー").names, ElementsAre("タワー", "東京", "東京タワー"));
  EXPECT_THAT(phrases_of("東京"), ElementsAre("東 京 1"));
}

TEST(Query, TakesAHashtagApart) {
  EXPECT_THAT(phrases_of("#redcar"), ElementsAre("redcar 1", "re dcar 1", "red car 1", "redc ar 1"));
  EXPECT_THAT(phrases_of("redcar"), ElementsAre("redcar 1"));
  EXPECT_THAT(phrases_of("#cat"), ElementsAre("cat 1"));
  EXPECT_THAT(phrases_of("#été"), ElementsAre("ete 1"));
}

TEST(Query, CountsAWordOnceAndTheFirst32) {
  EXPECT_THAT(phrases_of("cat CAT cat"), ElementsAre("cat 1"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "w" + std::to_string(i) + " ";
  const auto query = parse_query(many);
  EXPECT_THAT(query.names, Contains("w31"));
  EXPECT_THAT(query.names, Not(Contains("w32")));
  EXPECT_TRUE(parse_query("\"*' OR --").names == std::vector<std::string>{"or"});
}

TEST(Names, OfAHashtagAreAllOfItAndItsParts) {
  EXPECT_THAT(names_of("playing guitar"),
              ElementsAre(Pair("playingguitar", 1.0), Pair("playing", 0.5), Pair("guitar", 0.5)));
  EXPECT_THAT(names_of("guitar"), ElementsAre(Pair("guitar", 1.0)));
  EXPECT_THAT(names_of("pom pom"), ElementsAre(Pair("pompom", 1.0), Pair("pom", 0.5)));
  EXPECT_TRUE(names_of("!!").empty());
}

TEST(Board, GivesTheBestRowsAndEqualOnesAscending) {
  Board board;
  for (const std::int64_t row : {5000, 7, 1023, 1024}) board[row].covered = 1;
  board[3'000'000'000].named = 1.5;
  board[8].named = 0.0;
  board[7].covered |= 2;
  const std::array<double, 64> weights{1.0, 1.0};
  EXPECT_THAT(board.best(10, weights),
              ElementsAre(Pair(7, 2.0), Pair(3'000'000'000, 1.5), Pair(1023, 1.0), Pair(1024, 1.0), Pair(5000, 1.0)));
  EXPECT_THAT(board.best(3, weights), ElementsAre(Pair(7, 2.0), Pair(3'000'000'000, 1.5), Pair(1023, 1.0)));
  EXPECT_TRUE(Board().best(3, weights).empty());
}

TEST(Weights, ARareWordCountsMoreThanAFrequentOne) {
  const auto weights = weights_of({1, 900, 1000, 0, 500}, 1000);
  EXPECT_EQ(weights[0], 1.0);
  EXPECT_GT(weights[4], weights[1]);
  EXPECT_GT(weights[1], weights[2]);
  EXPECT_GT(weights[2], 0.0);  // a word of every video still finds them
  EXPECT_LT(weights[1] + weights[2] + weights[4], weights[0]);
  EXPECT_EQ(weights[3], 0.0);
  // One word, and words that are equally rare, count 1 each.
  EXPECT_EQ(weights_of({1000}, 1000)[0], 1.0);
  EXPECT_EQ(weights_of({7, 7}, 1000)[1], 1.0);
  EXPECT_EQ(weights_of({}, 1000)[0], 0.0);
  EXPECT_EQ(weights_of({5}, 3)[0], 1.0);  // counts that cannot be
}

TEST(Segments, UnitedAreAscendingAndApart) {
  EXPECT_EQ(united({{4, 6}, {0, 2}, {1, 3}, {3, 3.5}}), (std::vector<Segment>{{0, 3.5}, {4, 6}}));
  EXPECT_TRUE(united({}).empty());
}

TEST(Holds, WordsThatFollowEachOther) {
  const auto text = words_of("a man playing the guitar");
  EXPECT_TRUE(holds(text, parse_query("#playingthe").phrases));
  EXPECT_TRUE(holds(text, parse_query("guitar").phrases));
  EXPECT_FALSE(holds(text, parse_query("#playingguitar").phrases));
  EXPECT_FALSE(holds({}, parse_query("guitar").phrases));
}

}  // namespace
}  // namespace reeltag::index

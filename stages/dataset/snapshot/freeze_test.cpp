#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "reeltag/collect.hpp"
#include "reeltag/dataset.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Exception& e) {
    return std::string(code_name(e.code())) + ": " + e.what();
  }
  return "nothing thrown";
}

TEST(Freeze, MultiKeepsUnlabelledVideosAndLabelsAllHashtags) {
  TestCatalog t;
  t.add_forty();
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 10, .split = {.val = 20, .test = 20}}, t.root());
  EXPECT_THAT(set.vocabulary, ElementsAre("fyp", "cat", "dog"));
  EXPECT_EQ(set.items.size(), 40U);
  EXPECT_TRUE(std::is_sorted(set.items.begin(), set.items.end(), [](auto& a, auto& b) { return a.video < b.video; }));
  for (const auto& item : set.items) {
    EXPECT_EQ(item.labels.size(), item.hashtags.size());
    EXPECT_THAT(item.caption, HasSubstr("caption of video"));
    EXPECT_TRUE(t.store->stat(item.key).has_value());
  }
  EXPECT_EQ(set.count(Split::val), 8);  // four groups of two
  EXPECT_EQ(set.count(Split::test), 8);
  EXPECT_NO_THROW(check_groups(set));
}

TEST(Freeze, TheIdFollowsFromCatalogAndOptionsAlone) {
  TestCatalog a, b;
  a.add_forty();
  b.add_forty();
  const FreezeOptions options{.min_support = 5};
  const auto first = freeze(*a.catalog, *a.store, options, a.root());
  EXPECT_EQ(freeze(*a.catalog, *a.store, options, a.root()).id, first.id);
  EXPECT_EQ(freeze(*b.catalog, *b.store, options, b.root()).id, first.id);
  auto other = options;
  other.split.salt = "2";
  EXPECT_NE(freeze(*a.catalog, *a.store, other, a.root()).id, first.id);
  b.add("one more", "group x", {"cat"});
  EXPECT_NE(freeze(*b.catalog, *b.store, options, b.root()).id, first.id);
}

TEST(Freeze, AddingDataNeverMovesAGroup) {
  TestCatalog t;
  t.add_forty();
  const auto before = freeze(*t.catalog, *t.store, {.min_support = 5}, t.root());
  for (int i = 0; i < 60; ++i) t.add("late " + std::to_string(i), "group " + std::to_string(i), {"cat"});
  const auto after = freeze(*t.catalog, *t.store, {.min_support = 5}, t.root());
  std::map<std::string, Split> sides;
  for (const auto& item : after.items) sides[item.group] = item.split;
  for (const auto& item : before.items) EXPECT_EQ(sides.at(item.group), item.split);
  EXPECT_EQ(after.items.size(), 100U);
}

TEST(Freeze, SingleTakesTheFirstHashtagOfTheVocabularyAndRejectsTheRest) {
  TestCatalog t;
  t.add_forty();
  const auto lists = t.home.path();
  std::ofstream(lists / "vocabulary.txt") << "# pets\ndog\ncat\nhorse\n";
  std::ofstream(lists / "block.txt") << "horse\nfyp\n";
  const FreezeOptions options{.labels = "single", .vocabulary = lists / "vocabulary.txt", .block = lists / "block.txt"};
  const auto set = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_THAT(set.vocabulary, ElementsAre("dog", "cat"));  // the file's order, not by support
  EXPECT_EQ(set.items.size(), 32U);
  ASSERT_EQ(set.rejected.size(), 8U);
  EXPECT_EQ(set.rejected[0].reason, "no hashtag of the vocabulary");
  for (const auto& item : set.items) {
    ASSERT_EQ(item.labels.size(), 1U);
    EXPECT_EQ(set.vocabulary[static_cast<std::size_t>(item.labels[0])], item.hashtags[1]);
  }
}

TEST(Freeze, AVocabularyFileMayPutSpellingsTogether) {
  TestCatalog t;
  t.add_forty();
  for (int i = 0; i < 6; ++i) t.add("kitty " + std::to_string(i), "k" + std::to_string(i), {"kitty", "dog"});
  const auto file = t.home.path() / "vocabulary.txt";
  const auto frozen = [&](const std::string& text, FreezeOptions options) {
    std::ofstream(file) << text;
    options.vocabulary = file;
    return freeze(*t.catalog, *t.store, options, t.root());
  };
  const auto set = frozen("cat = kitty, gato  # 22 videos\ndog\n- fyp  # generic\n", {});
  EXPECT_THAT(set.vocabulary, ElementsAre("cat", "dog"));
  EXPECT_EQ(set.support()[0][0] + set.support()[0][1] + set.support()[0][2], 16 + 6);
  EXPECT_EQ(nlohmann::json::parse(set.options)["spellings"], (nlohmann::json{{"gato", "cat"}, {"kitty", "cat"}}));
  const auto plain = frozen("cat\ndog\n", {});
  EXPECT_NE(plain.id, set.id);
  EXPECT_FALSE(nlohmann::json::parse(plain.options).contains("spellings"));
  EXPECT_EQ(frozen("# the same\ncat\ndog  # 16\n- fyp\n", {}).id, plain.id);
  // Single: the first in the vocabulary, whatever its spelling.
  const auto single = frozen("cat = kitty\ndog\n", {.labels = "single"});
  EXPECT_EQ(single.support()[0][0] + single.support()[0][1] + single.support()[0][2], 16 + 6);
  // A blocked spelling no longer counts; a blocked hashtag removes its spellings too.
  std::ofstream(t.home.path() / "block.txt") << "kitty\n";
  const auto blocked = frozen("cat = kitty\ndog\n", {.block = t.home.path() / "block.txt"});
  EXPECT_EQ(blocked.support()[0][0] + blocked.support()[0][1] + blocked.support()[0][2], 16);
  std::ofstream(t.home.path() / "block.txt") << "cat\n";
  EXPECT_THAT(frozen("cat = kitty\ndog\n", {.block = t.home.path() / "block.txt"}).vocabulary, ElementsAre("dog"));
  EXPECT_THAT(message_of([&] { frozen("- fyp\n", {}); }), HasSubstr("names no hashtag"));
}

TEST(Freeze, FiltersAndDropUnlabelled) {
  TestCatalog t;
  t.add_forty();
  for (int i = 0; i < 10; ++i) t.add("other " + std::to_string(i), "o" + std::to_string(i), {"bird"}, "tiktok");
  FreezeOptions options{.source = "tiktok", .min_support = 1, .split = {.val = 0, .test = 0}};
  EXPECT_THAT(freeze(*t.catalog, *t.store, options, t.root()).vocabulary, ElementsAre("bird"));
  options = {.hashtag = "#Cat", .min_support = 1, .split = {.val = 0, .test = 0}};
  EXPECT_EQ(freeze(*t.catalog, *t.store, options, t.root()).items.size(), 16U);
  std::ofstream(t.home.path() / "block.txt") << "fyp\n";
  options = {.min_support = 1, .block = t.home.path() / "block.txt", .drop_unlabelled = true};
  const auto dropped = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_EQ(dropped.items.size(), 42U);
  EXPECT_EQ(dropped.rejected.size(), 8U);
}

TEST(Freeze, VideosThatTheStoreLostAreRejected) {
  TestCatalog t;
  t.add_forty();
  const auto lost = t.add("lost", "g", {"cat"});
  t.store->remove("videos/" + lost + ".mp4");
  const auto set = freeze(*t.catalog, *t.store, {}, t.root());
  ASSERT_EQ(set.rejected.size(), 1U);
  EXPECT_EQ(set.rejected[0].video, lost);
  EXPECT_THAT(set.rejected[0].reason, HasSubstr(lost));
}

TEST(Freeze, WhatLeavesNothingToTrainOnSaysWhatToDo) {
  TestCatalog t;
  const auto frozen = [&](const FreezeOptions& o) {
    return message_of([&] { freeze(*t.catalog, *t.store, o, t.root()); });
  };
  EXPECT_THAT(frozen({}), HasSubstr("import or collect"));
  t.add("only", "one group", {"cat"});
  EXPECT_THAT(frozen({.min_support = 2}), HasSubstr("lower min_support"));
  EXPECT_THAT(frozen({.min_support = 1}), HasSubstr("Add videos of other groups"));
  EXPECT_THAT(frozen({.source = "tiktok"}), HasSubstr("filter"));
  EXPECT_THAT(frozen({.split = {.val = 50, .test = 50}}), HasSubstr("leave some for train"));
  EXPECT_THAT(frozen({.labels = "both"}), testing::StartsWith("invalid_config"));
  EXPECT_EQ(frozen({.min_support = 1, .split = {.val = 0, .test = 0}}), "nothing thrown");
}

TEST(Freeze, OptionsAreConfiguration) {
  config::Values values;
  values.add_yaml("labels: single\nmin_support: 3\nsplit:\n  val: 15\n  salt: val\n", "test");
  FreezeOptions options;
  config::resolve(values, options);
  EXPECT_EQ(options.labels, "single");
  EXPECT_EQ(options.split.val, 15);
  EXPECT_EQ(options.split.salt, "val");
  config::Values wrong;
  wrong.set("split.val=150");
  EXPECT_THROW(config::resolve(wrong, options), Exception);
}

// The development clips, if available: the split used for published results.
struct Published {
  const char* name;
  int classes, hashtags;  // hashtags of at least eight videos
  int train, val;
};
class SharedData : public testing::TestWithParam<Published> {};

TEST_P(SharedData, SplitsAsPublished) {
  const char* shared = std::getenv("REELTAG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "set REELTAG_SHARED to the folder with the development data";
  const auto [name, classes, hashtags, train, val] = GetParam();
  TestCatalog t;
  const std::vector<std::filesystem::path> paths{std::filesystem::path(shared) / "data" / name};
  const auto report = collect::import_paths(paths, {.salt_file = t.home.path() / "salt"}, *t.catalog, *t.store, {});
  EXPECT_TRUE(report.rejected.empty()) << collect::to_json(report);
  EXPECT_EQ(report.added + report.duplicate, train + val);
  // By group alone: some clips of the same court or camera in different groups are near copies.
  const FreezeOptions options{
      .labels = "single", .min_support = 1, .split = {.val = 15, .test = 0, .salt = "val", .by = "group"}};
  const auto set = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_EQ(set.vocabulary.size(), static_cast<std::size_t>(classes));
  EXPECT_EQ(set.count(Split::train), train);
  EXPECT_EQ(set.count(Split::val), val);
  EXPECT_NO_THROW(check_groups(set));
  const auto multi = freeze(*t.catalog, *t.store, {.min_support = 8, .split = options.split}, t.root());
  EXPECT_EQ(multi.vocabulary.size(), static_cast<std::size_t>(hashtags));
  EXPECT_EQ(multi.items.size(), set.items.size());
}

INSTANTIATE_TEST_SUITE_P(Sets, SharedData,
                         testing::Values(Published{"actions", 15, 15, 424, 70},
                                         Published{"captioned", 20, 70, 482, 91}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(Freeze, BySourceKeepsWhatCameReadySplit) {
  TestCatalog t;
  std::map<std::string, std::string> ids;
  for (const char* source : {"train", "val", "test", "import"}) {
    for (int i = 0; i < 8; ++i) {
      const auto name = source + std::to_string(i);
      ids[name] = t.add(name, name, {"cats"}, source);
    }
  }
  ids["twin"] = t.add("twin", "test0", {"cats"}, "train");   // of a group of test
  ids["other"] = t.add("other", "test1", {"cats"}, "val");   // likewise
  ids["third"] = t.add("third", "val1", {"cats"}, "train");  // of a group of val
  const FreezeOptions options{.min_support = 1, .split = {.val = 0, .test = 0, .by = "source"}};
  const auto set = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_EQ(set.count(Split::train), 8);
  EXPECT_EQ(set.count(Split::val), 8);
  EXPECT_EQ(set.count(Split::test), 8);
  EXPECT_EQ(parted(set), "");
  std::map<std::string, std::string> reasons;
  for (const auto& rejected : set.rejected) reasons[rejected.video] = rejected.reason;
  EXPECT_EQ(reasons.size(), 11U);
  EXPECT_NE(reasons[ids["twin"]].find("stands in test"), std::string::npos);
  EXPECT_NE(reasons[ids["other"]].find("stands in test"), std::string::npos);
  EXPECT_NE(reasons[ids["third"]].find("stands in val"), std::string::npos);
  EXPECT_NE(reasons[ids["import0"]].find("its source"), std::string::npos);
  EXPECT_EQ(freeze(*t.catalog, *t.store, options, t.root()).id, set.id);
}

TEST(Freeze, BySourceDividesTrainWhereAnotherSideHasNoSource) {
  TestCatalog t;
  for (int i = 0; i < 40; ++i) t.add("v" + std::to_string(i), "g" + std::to_string(i), {"cats"}, "train");
  for (int i = 0; i < 5; ++i) t.add("t" + std::to_string(i), "t" + std::to_string(i), {"cats"}, "test");
  const SplitRule rule{.val = 30, .test = 0, .by = "source"};
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 1, .split = rule}, t.root());
  EXPECT_EQ(set.count(Split::test), 5);
  EXPECT_EQ(set.count(Split::val), 12);
  EXPECT_EQ(set.count(Split::train), 28);
  for (const auto& item : set.items) EXPECT_EQ(item.split == Split::test, item.group.front() == 't');
}

TEST(Freeze, TheVocabularyOfAGivenSplitIsThatOfTrainAndVal) {
  TestCatalog t;
  for (int i = 0; i < 10; ++i) t.add("a" + std::to_string(i), "a" + std::to_string(i), {"cats", "seen"}, "train");
  for (int i = 0; i < 4; ++i) t.add("b" + std::to_string(i), "b" + std::to_string(i), {"cats", "val"}, "val");
  for (int i = 0; i < 20; ++i) t.add("c" + std::to_string(i), "c" + std::to_string(i), {"cats", "unseen"}, "test");
  const FreezeOptions options{.min_support = 3, .split = {.val = 10, .test = 0, .by = "source"}};
  const auto set = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_THAT(set.vocabulary, ElementsAre("cats", "seen", "val"));
  EXPECT_EQ(set.count(Split::test), 20);
  EXPECT_EQ(set.count(Split::train), 10);
}

TEST(Freeze, ATestSetAloneServesAModelThatExists) {
  TestCatalog t;
  for (int i = 0; i < 3; ++i) t.add("t" + std::to_string(i), "same group", {"cats"});
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.val = 0, .test = 100}}, t.root());
  EXPECT_EQ(set.count(Split::test), 3);
  EXPECT_EQ(set.items.size(), 3U);
  EXPECT_NO_THROW(check_group_count(*t.catalog, {.split = {.val = 0, .test = 100}}));
  EXPECT_THAT(
      message_of([&] { freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.val = 10, .test = 95}}, t.root()); }),
      HasSubstr("--test 100"));
  // A later freeze for training is not bound by it.
  for (int i = 0; i < 40; ++i) t.add("v" + std::to_string(i), "g" + std::to_string(i), {"cats"});
  EXPECT_GT(freeze(*t.catalog, *t.store, {.min_support = 1}, t.root()).count(Split::train), 0);
}

TEST(ChooseSplit, TakesGivenSplitsAsTheyAre) {
  TestCatalog given;
  given.add("a", "a", {"cats"}, "train");
  const FreezeOptions options{.split = {.by = "auto"}};
  EXPECT_EQ(choose_split(*given.catalog, options, false).by, "related");  // one source is no split
  given.add("b", "b", {"cats"}, "test");
  const auto rule = choose_split(*given.catalog, options, false);
  EXPECT_EQ(rule.by, "source");
  EXPECT_EQ(rule.test, 0);  // nothing is cut that nobody asked for
  EXPECT_EQ(rule.val, 10);
  EXPECT_EQ(choose_split(*given.catalog, options, true).test, 10);
  given.add("c", "c", {"cats"}, "import");
  EXPECT_EQ(choose_split(*given.catalog, options, false).by, "related");
  for (const auto* by : {"related", "group", "time", "source"})
    EXPECT_EQ(choose_split(*given.catalog, {.split = {.by = by}}, false).by, by);
}

}  // namespace
}  // namespace reeltag::dataset

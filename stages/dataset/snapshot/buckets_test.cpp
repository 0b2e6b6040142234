#include "snapshot/buckets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "snapshot/split.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

// Groups of unequal size: half of them have one video, some have dozens, one may have most. Each group has one to three
// of eight hashtags.
struct Collection {
  std::vector<catalog::SplitGrouping> groupings;
  Dataset set;

  Collection() {
    for (int i = 0; i < 8; ++i) set.vocabulary.push_back("tag" + std::to_string(i));
  }
  void add_group(std::mt19937& random) {
    const auto draw = [&](int most) { return std::uniform_int_distribution(1, most)(random); };
    const auto name = "group " + std::to_string(groups++);
    const int size = draw(2) == 1 ? 1 : draw(5) == 1 ? draw(100) : draw(12);
    std::set<int> labels;
    for (int i = draw(3); i > 0; --i) labels.insert(draw(8) - 1);
    for (int i = 0; i < size; ++i) {
      const auto video = "video " + std::to_string(groupings.size());
      groupings.push_back(
          {.video = video, .key = "", .group = name, .author = "", .fingerprint = {}, .cluster = "", .created = {}});
      set.items.push_back({.video = video,
                           .key = "",
                           .group = name,
                           .split = Split::train,
                           .labels = {labels.begin(), labels.end()},
                           .hashtags = {},
                           .caption = ""});
    }
  }
  int groups = 0;
};

void place(Collection& collection, const SplitRule& rule, PlacedGroups& placed) {
  const auto related = related_sets_of(collection.groupings);
  const auto buckets = buckets_of(related, rule, collection.set, placed);
  for (auto& item : collection.set.items) item.split = split_of(rule, buckets.at(related.of.at(item.video)));
}

std::map<std::string, Split> sides_of_groups(const Dataset& set) {
  std::map<std::string, Split> sides;
  for (const auto& item : set.items) sides[item.group] = item.split;
  return sides;
}

// Holds for every split, whatever the salt and the groups, and stays true as groups are added.
TEST(Buckets, NoSideIsEmptyAndPlacedGroupsStayUnderAThousandSalts) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    const int most = std::uniform_int_distribution(3, 40)(random);
    const SplitRule rule{.val = std::uniform_int_distribution(1, 40)(random),
                         .test = std::uniform_int_distribution(1, 40)(random),
                         .salt = "salt " + std::to_string(seed)};
    Collection collection;
    PlacedGroups placed;
    std::map<std::string, Split> before;
    for (int target = std::uniform_int_distribution(3, most)(random);;) {
      while (collection.groups < target) collection.add_group(random);
      place(collection, rule, placed);
      for (const auto side : {Split::train, Split::val, Split::test}) {
        ASSERT_GT(collection.set.count(side), 0) << seed << " with " << collection.groups << " groups";
      }
      ASSERT_EQ(parted(collection.set), "") << seed;
      const auto now = sides_of_groups(collection.set);
      for (const auto& [group, side] : before) ASSERT_EQ(now.at(group), side) << seed << " " << group;
      before = now;
      if (target == most) break;
      target = std::uniform_int_distribution(target + 1, most)(random);
    }
  }
}

TEST(Buckets, QuotasAreTheGroupsThatThePercentagesSay) {
  std::mt19937 random(1);
  for (const auto& [groups, val, test, want] : {std::tuple{40, 10, 10, std::array{32, 4, 4}},
                                                {20, 10, 20, std::array{14, 2, 4}},
                                                {3, 10, 10, std::array{1, 1, 1}},
                                                {8, 0, 25, std::array{6, 0, 2}},
                                                {5, 49, 50, std::array{1, 2, 2}}}) {
    Collection collection;
    while (collection.groups < groups) collection.add_group(random);
    PlacedGroups placed;
    place(collection, {.val = val, .test = test}, placed);
    std::array<int, 3> count{};
    for (const auto& [group, side] : sides_of_groups(collection.set)) ++count.at(static_cast<std::size_t>(side));
    EXPECT_EQ(count, want) << groups << " " << val << " " << test;
  }
}

TEST(Buckets, AnotherSaltGivesAnotherSplit) {
  std::mt19937 random(1);
  Collection collection;
  while (collection.groups < 12) collection.add_group(random);
  std::set<std::map<std::string, Split>> splits;
  for (int i = 0; i < 20; ++i) {
    PlacedGroups placed;
    place(collection, {.salt = std::to_string(i)}, placed);
    splits.insert(sides_of_groups(collection.set));
  }
  EXPECT_GT(splits.size(), 10U);
}

TEST(Buckets, FoldsOfFewGroupsTestEachOnce) {
  std::mt19937 random(3);
  for (const int groups : {5, 7, 10, 25, 40}) {
    Collection collection;
    while (collection.groups < groups) collection.add_group(random);
    PlacedGroups placed;
    std::map<std::string, int> tested;
    for (const int turn : {0, 20, 40, 60, 80}) {
      place(collection, {.val = 10, .test = 20, .turn = turn}, placed);
      EXPECT_GT(collection.set.count(Split::test), 0) << groups << " turned " << turn;
      for (const auto& [group, side] : sides_of_groups(collection.set)) tested[group] += side == Split::test ? 1 : 0;
    }
    for (const auto& [group, times] : tested) EXPECT_EQ(times, 1) << groups << " " << group;
  }
}

// The last videos of a hashtag and most of all videos stay in train; enough remain for the tests.
TEST(Buckets, TrainKeepsEveryHashtagWhereGroupsAllowIt) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Collection collection;
    std::mt19937 random(seed);
    while (collection.groups < 10) collection.add_group(random);
    for (std::size_t i = 0; i < collection.set.items.size(); ++i) {
      auto& item = collection.set.items[i];
      item.labels = item.group == "group 0" ? std::vector<int>{0, 7} : std::vector<int>{static_cast<int>(i % 3)};
    }
    PlacedGroups placed;
    place(collection, {.salt = std::to_string(seed)}, placed);
    EXPECT_EQ(sides_of_groups(collection.set).at("group 0"), Split::train) << seed;  // alone has hashtag 7
  }
}

TEST(Buckets, ManyGroupsGoByTheirHashAndGoOnSoWhenTheyBecomeFew) {
  std::mt19937 random(5);
  Collection collection;
  while (collection.groups < 120) collection.add_group(random);
  const SplitRule rule;
  PlacedGroups placed;
  place(collection, rule, placed);
  for (const auto& item : collection.set.items) ASSERT_EQ(item.split, split_of(rule, item.group));
  EXPECT_TRUE(placed.by_hash);
  EXPECT_TRUE(placed.buckets.empty());
  // Most are forgotten.
  std::erase_if(collection.set.items,
                [](const Item& item) { return item.group.size() > std::string("group 10").size(); });
  std::erase_if(collection.groupings,
                [](const catalog::SplitGrouping& one) { return one.group.size() > std::string("group 10").size(); });
  const auto before = sides_of_groups(collection.set);
  place(collection, rule, placed);
  EXPECT_EQ(sides_of_groups(collection.set), before);
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Exception& e) {
    return std::string(code_name(e.code())) + ": " + e.what();
  }
  return "nothing thrown";
}

std::map<std::string, Split> sides_of_videos(const Dataset& set) {
  std::map<std::string, Split> sides;
  for (const auto& item : set.items) sides[item.video] = item.split;
  return sides;
}

TEST(FewGroups, AreKeptWhereTheyWerePlacedWhateverTheFreezeAsks) {
  for (const char* by : {"related", "group"}) {
    TestCatalog t;
    const auto add = [&](int from, int to) {
      for (int i = from; i < to; ++i)
        t.add("v" + std::to_string(i), "g" + std::to_string(i % 7 + i / 20 * 7), {i % 2 == 0 ? "cat" : "dog", "fyp"});
    };
    add(0, 20);
    const auto frozen = [&](const FreezeOptions& options) {
      auto with_rule = options;
      with_rule.min_support = 1;
      with_rule.split.by = by;
      return freeze(*t.catalog, *t.store, with_rule, t.root());
    };
    const auto first = sides_of_videos(frozen({}));
    const auto cats = sides_of_videos(frozen({.hashtag = "cat"}));
    for (const auto& [video, side] : cats) EXPECT_EQ(side, first.at(video));
    add(20, 60);
    const auto more = sides_of_videos(frozen({}));
    for (const auto& [video, side] : first) EXPECT_EQ(more.at(video), side);
    EXPECT_EQ(more.size(), 60U);
    EXPECT_NE(sides_of_videos(frozen({.split = {.salt = "another"}})), more);
  }
}

TEST(FewGroups, TooFewAreRefusedBeforeAnyWorkWithWhatWouldDo) {
  TestCatalog t;
  const auto refusal = [&](const FreezeOptions& options) {
    const auto early = message_of([&] { check_group_count(*t.catalog, options); });
    EXPECT_EQ(early, message_of([&] { freeze(*t.catalog, *t.store, options, t.root()); }));
    return early;
  };
  for (int i = 0; i < 30; ++i)
    t.add_related("v" + std::to_string(i), "album " + std::to_string(i % 5), "one author",
                  100U + static_cast<unsigned>(i), 1000 + i);
  const auto message = refusal({.min_support = 1});
  EXPECT_THAT(message, HasSubstr("invalid_config: dataset freeze: 1 group of videos cannot fill train, val and test"));
  EXPECT_THAT(message, HasSubstr("--val 0 --test 0"));
  EXPECT_THAT(message, HasSubstr("--by group, which parts authors and copies: it finds 5 groups"));
  EXPECT_EQ(freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.by = "group"}}, t.root()).items.size(), 30U);
  t.add_related("other", "an album", "another author", 7, 2000);
  EXPECT_THAT(refusal({.min_support = 1}), HasSubstr("say --val 0, for train and test alone"));
  EXPECT_THAT(refusal({.min_support = 1, .split = {.by = "time"}}), HasSubstr("2 groups"));
  const auto two = freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.val = 0}}, t.root());
  EXPECT_EQ(two.count(Split::test), 1);
  EXPECT_EQ(two.count(Split::train), 30);
  EXPECT_THAT(refusal({.min_support = 1}), Not(HasSubstr("--test 0")));
  t.add_related("third", "third album", "third author", 8, 3000);
  for (const char* by : {"related", "time", "group"}) {
    const auto set = freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.by = by}}, t.root());
    EXPECT_THAT((std::array{set.count(Split::train), set.count(Split::val), set.count(Split::test)}),
                Each(testing::Gt(0)))
        << by;
  }
}

TEST(FewGroups, ThatEarlierFreezesPlacedElsewhereAreNotMoved) {
  TestCatalog t;
  for (int i = 0; i < 30; ++i) t.add("v" + std::to_string(i), "g" + std::to_string(i), {"all"});
  const auto first = freeze(*t.catalog, *t.store, {.min_support = 1}, t.root());
  // A hashtag that only three groups of train have.
  std::vector<catalog::Video> changed;
  for (const auto& item : first.items) {
    if (item.split != Split::train || changed.size() == 3) continue;
    auto video = t.catalog->videos.get(item.video).value();
    video.hashtags = {"rare"};
    changed.push_back(video);
  }
  for (const auto& video : changed) t.catalog->videos.add(video);
  const auto message =
      message_of([&] { freeze(*t.catalog, *t.store, {.hashtag = "rare", .min_support = 1}, t.root()); });
  EXPECT_THAT(message, HasSubstr("no group is left for val"));
  EXPECT_THAT(message, HasSubstr("--salt NAME"));
  // Nor does a refused freeze place anything.
  const auto note = [&] { return t.catalog->notes.get("dataset/placed/related/10/10/reeltag"); };
  const auto before = note();
  ASSERT_TRUE(before);
  t.add("new", "new group", {"rare"});  // enough for test, not for val too
  EXPECT_THROW(freeze(*t.catalog, *t.store, {.hashtag = "rare", .min_support = 1}, t.root()), Exception);
  EXPECT_EQ(note(), before);
  const auto anew =
      freeze(*t.catalog, *t.store, {.hashtag = "rare", .min_support = 1, .split = {.salt = "rare"}}, t.root());
  EXPECT_EQ(anew.count(Split::test), 1);
}

}  // namespace
}  // namespace reeltag::dataset

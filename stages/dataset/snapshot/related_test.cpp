#include "snapshot/related.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "reeltag/dataset.hpp"
#include "snapshot/split.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const FreezeOptions kAll{.min_support = 1, .split = {.val = 0, .test = 0}};

catalog::SplitGrouping grouping_of(const std::string& video, const std::string& group, const std::string& author = "",
                                   const std::string& cluster = "") {
  return {.video = video,
          .key = "",
          .group = group,
          .author = author,
          .fingerprint = {},
          .cluster = cluster,
          .created = {}};
}

std::map<std::string, Split> sides(const Dataset& set) {
  std::map<std::string, Split> result;
  for (const auto& item : set.items) result[item.video] = item.split;
  return result;
}

TEST(RelatedVideos, WhoHasAnythingInCommonIsOneFamily) {
  const auto related = related_sets_of(
      {grouping_of("1", "a"), grouping_of("2", "b"), grouping_of("3", "b", "x"), grouping_of("4", "c", "x"),
       grouping_of("5", "d", "", "k"), grouping_of("6", "e", "", "k"), grouping_of("7", "x"),
       grouping_of("8", "f", "y", "m"), grouping_of("9", "g", "z", "m"), grouping_of("10", "h", "z")});
  EXPECT_THAT(related.groups, ElementsAre(ElementsAre("a"), ElementsAre("b", "c", "x"), ElementsAre("d", "e"),
                                          ElementsAre("f", "g", "h")));
  const std::map<std::string, std::size_t> want{{"1", 0}, {"2", 1}, {"3", 1}, {"4", 1}, {"5", 2},
                                                {"6", 2}, {"7", 1}, {"8", 3}, {"9", 3}, {"10", 3}};
  for (const auto& [video, related_set] : want) EXPECT_EQ(related.of.at(video), related_set) << video;
}

TEST(RelatedVideos, CopiesGetAClusterThatTheCatalogKeeps) {
  TestCatalog t;
  const auto a = t.add_related("a", "g1", "", 1), b = t.add_related("b", "g2", "", 2),
             c = t.add_related("c", "g3", "", 1);
  t.add("old", "g4", {"fyp"});  // without a fingerprint
  const auto groupings = read_groupings(*t.catalog);
  EXPECT_EQ(groupings[0].video, a);  // in the order of adding
  EXPECT_FALSE(groupings[0].cluster.empty());
  EXPECT_EQ(groupings[0].cluster, groupings[2].cluster);
  EXPECT_EQ(groupings[1].cluster, "");
  EXPECT_EQ(groupings[3].cluster, "");
  EXPECT_EQ(a.find(groupings[0].cluster), std::string::npos);  // does not contain the id
  std::vector<catalog::SplitGrouping> stored;
  t.catalog->fingerprints.each([&](const catalog::SplitGrouping& one) { stored.push_back(one); });
  EXPECT_EQ(stored, groupings);
  // One of the two is removed: the other has no copy.
  t.catalog->tombstones.forget(catalog::Forgettable::video, c);
  EXPECT_EQ(read_groupings(*t.catalog)[0].cluster, "");
}

// Sixty groups; every third video is a copy of one of another group, every fifth of an author of several groups.
void add_tangle(TestCatalog& t, int from, int to) {
  for (int i = from; i < to; ++i) {
    const auto n = std::to_string(i);
    t.add_related("video " + n, "group " + std::to_string(i % 60), i % 5 == 0 ? "author " + std::to_string(i % 7) : "",
                  i % 3 == 0 ? static_cast<unsigned>(i % 30) : static_cast<unsigned>(1000 + i));
  }
}

TEST(RelatedVideos, AreOnOneSideOfASplit) {
  for (const char* by : {"related", "time"}) {
    TestCatalog t;
    for (int i = 0; i < 120; ++i) {
      const auto n = std::to_string(i);
      t.add_related("video " + n, "group " + std::to_string(i / 2),
                    i % 10 == 0 ? "author " + std::to_string(i / 20) : "",
                    i % 6 == 0 ? static_cast<unsigned>(i / 12) : static_cast<unsigned>(1000 + i), 1000 + i);
    }
    const auto set =
        freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.val = 20, .test = 20, .by = by}}, t.root());
    EXPECT_EQ(parted(set), "") << by;
    EXPECT_NO_THROW(check_groups(set));
    EXPECT_EQ(nlohmann::json::parse(set.options)["split"]["by"], by);
    std::set<std::string> clusters;
    for (const auto& item : set.items) clusters.insert(item.cluster);
    EXPECT_GT(clusters.size(), 5U);
    EXPECT_EQ(sides(load(t.root(), set.id)), sides(set));
  }
  TestCatalog t;
  t.add_forty();
  t.add_related("x", "group 0", "", 1);
  t.add_related("y", "group 1", "", 1);
  const auto rule = SplitRule{.val = 20, .test = 20, .by = "group"};
  std::map<Split, std::set<std::string>> groups;
  for (const auto& item : freeze(*t.catalog, *t.store, {.min_support = 1, .split = rule}, t.root()).items) {
    EXPECT_EQ(item.cluster, "");
    groups[item.split].insert(item.group);
  }
  EXPECT_EQ(groups[Split::val].size(), 4U);  // twenty groups, though a copy joins two
  EXPECT_EQ(groups[Split::test].size(), 4U);
}

TEST(RelatedVideos, AddingAVideoMovesNobodyUnlessItJoinsTwoFamilies) {
  TestCatalog t;
  add_tangle(t, 0, 60);
  const FreezeOptions options{.min_support = 1, .split = {.val = 25, .test = 25}};
  const auto freeze_now = [&] { return freeze(*t.catalog, *t.store, options, t.root()); };
  auto before = freeze_now();
  for (int i = 0; i < 25; ++i) {  // in new groups, in old ones, copies of old ones
    const auto n = std::to_string(i);
    t.add_related("later " + n, i % 2 == 0 ? "aaa new group " + n : "group " + n, "",
                  i % 3 == 0 ? 3 : 5000 + static_cast<unsigned>(i));
  }
  const auto after = freeze_now();
  const auto related = related_sets_of(read_groupings(*t.catalog));
  const auto now = sides(after);
  std::map<std::size_t, std::set<Split>> old_sides;  // old sides of each current related set
  for (const auto& [video, side] : sides(before)) old_sides[related.of.at(video)].insert(side);
  int kept = 0;
  for (const auto& [video, side] : sides(before)) {
    if (old_sides[related.of.at(video)].size() > 1) continue;  // joined from two
    EXPECT_EQ(now.at(video), side);
    ++kept;
  }
  EXPECT_GT(kept, 40);
}

TEST(RelatedVideos, WhereThereAreNoneTheIdIsThatOfASplitByGroup) {
  TestCatalog t;
  t.add_forty();
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 5}, t.root());
  EXPECT_EQ(set.id, "0a05041b8344a098");  // the same on every machine
  EXPECT_EQ(freeze(*t.catalog, *t.store, {.min_support = 5, .split = {.by = "group"}}, t.root()).id, set.id);
}

TEST(RelatedVideos, AHandMadeSetThatPartsThemIsRefused) {
  const auto item = [](const std::string& video, const std::string& group, const std::string& author,
                       const std::string& cluster, Split split) {
    return Item{.video = video,
                .key = "k",
                .group = group,
                .split = split,
                .labels = {},
                .hashtags = {},
                .caption = "",
                .author = author,
                .cluster = cluster};
  };
  struct Case {
    Item a, b;
    const char* says;
  };
  for (const auto& [a, b, says] :
       {Case{item("1", "g", "", "", Split::train), item("2", "g", "", "", Split::test),
             "group g is in train (1) and in test (2)"},
        Case{item("1", "g", "x", "", Split::val), item("2", "h", "x", "", Split::train), "author x"},
        Case{item("1", "g", "x", "", Split::val), item("2", "x", "", "", Split::train), "group x"},
        Case{item("1", "g", "", "c", Split::train), item("2", "h", "", "c", Split::val), "cluster of copies c"}}) {
    Dataset set;
    set.id = "0123456789abcdef";
    set.items = {a, b};
    EXPECT_THAT(parted(set), HasSubstr(says));
    EXPECT_THAT(nlohmann::json::parse(to_json(set))["parted"].get<std::string>(), HasSubstr(says));
    EXPECT_THROW(check_groups(set), Exception);
    set.items[1].split = set.items[0].split;
    EXPECT_EQ(parted(set), "");
    EXPECT_FALSE(nlohmann::json::parse(to_json(set)).contains("parted"));
  }
}

TEST(SplitByTime, OldVideosTeachAndNewOnesTest) {
  TestCatalog t;
  std::map<std::string, std::int64_t> created;
  for (int i = 0; i < 100; ++i)
    created[t.add_related("v" + std::to_string(i), "g" + std::to_string(i), "", 100 + static_cast<unsigned>(i),
                          1000 + i)] = 1000 + i;
  const auto undated = t.add_related("undated", "gx", "", 999);
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.by = "time"}}, t.root());
  EXPECT_EQ(set.count(Split::train), 80);
  EXPECT_EQ(set.count(Split::val), 10);
  EXPECT_EQ(set.count(Split::test), 10);
  for (const auto& item : set.items) {
    const auto at = created.at(item.video) - 1000;
    EXPECT_EQ(item.split, at < 80 ? Split::train : at < 90 ? Split::val : Split::test) << at;
  }
  ASSERT_EQ(set.rejected.size(), 1U);
  EXPECT_EQ(set.rejected[0].video, undated);
  EXPECT_THAT(set.rejected[0].reason, HasSubstr("no date"));
  EXPECT_THROW(freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.turn = 5, .by = "time"}}, t.root()),
               Exception);
  EXPECT_THROW(freeze(*t.catalog, *t.store, {.min_support = 1, .split = {.by = "day"}}, t.root()), Exception);
}

// Mean distance of the hashtags' shares of val and test from a tenth.
double unevenness(const Dataset& set) {
  double sum = 0.0;
  for (const auto& [train, val, test] : set.support()) {
    const auto all = static_cast<double>(train + val + test);
    sum += std::abs(static_cast<double>(val) / all - 0.1) + std::abs(static_cast<double>(test) / all - 0.1);
  }
  return sum / static_cast<double>(2 * set.vocabulary.size());
}

TEST(AutoSalt, SharesHashtagsOutMoreEvenlyAndStays) {
  TestCatalog t;
  for (int i = 0; i < 300; ++i) {
    const auto n = std::to_string(i);
    t.add("v" + n, "g" + std::to_string(i / 2), {"tag" + std::to_string(i % 12)});
  }
  const auto plain = freeze(*t.catalog, *t.store, {}, t.root());
  FreezeOptions options;
  options.split.salt = "auto";
  const auto chosen = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_LT(unevenness(chosen), unevenness(plain));
  const auto salt = nlohmann::json::parse(chosen.options)["split"]["salt"].get<std::string>();
  EXPECT_NE(salt, "auto");
  // With other data, for which another salt would be nearer, the first salt stays, and so do the sides.
  for (int i = 0; i < 200; ++i)
    t.add("w" + std::to_string(i), "h" + std::to_string(i / 3), {"tag" + std::to_string(i % 5)});
  const auto later = freeze(*t.catalog, *t.store, options, t.root());
  EXPECT_EQ(nlohmann::json::parse(later.options)["split"]["salt"], salt);
  const auto now = sides(later);
  for (const auto& [video, side] : sides(chosen)) EXPECT_EQ(now.at(video), side);
  // Given explicitly, it is an ordinary salt.
  options.split.salt = salt;
  EXPECT_EQ(freeze(*t.catalog, *t.store, options, t.root()).id, later.id);
}

}  // namespace
}  // namespace reeltag::dataset

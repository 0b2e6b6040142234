#include "reeltag/dataset/stats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(Stats, CountWhatIsThere) {
  TestCatalog t;
  t.add_forty();
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 10}, t.root());
  const auto stats = stats_of(set, *t.catalog);
  EXPECT_EQ(stats.groups, 20);
  EXPECT_EQ(stats.largest_group, 2);
  EXPECT_THAT(stats.per_video, ElementsAre(0, 8, 32));
  EXPECT_THAT(stats.typed, ElementsAre(0, 8, 32));
  EXPECT_THAT(stats.sources, ElementsAre(Pair("import", 40)));
  EXPECT_EQ(stats.durations.videos, 40);
  EXPECT_DOUBLE_EQ(stats.durations.total, 40.0);
  EXPECT_DOUBLE_EQ(stats.durations.median, 1.0);
  EXPECT_EQ(stats.unknown, 0);
  ASSERT_EQ(stats.together.size(), 2U);  // fyp with cat, fyp with dog
  EXPECT_EQ(stats.together[0].videos, 16);
  EXPECT_DOUBLE_EQ(stats.together[0].lift, 1.0);
}

TEST(Stats, SurviveAnEmptySetAndALostCatalog) {
  TestCatalog t, empty;
  EXPECT_EQ(stats_of({}, *t.catalog).groups, 0);
  t.add_forty();
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 10}, t.root());
  const auto stats = stats_of(set, *empty.catalog);
  EXPECT_EQ(stats.unknown, 40);
  EXPECT_EQ(stats.durations.videos, 0);
  const auto page = *read_file(write_report(t.home.path(), set, stats, *empty.store, {}), 1 << 24);
  EXPECT_THAT(page, HasSubstr("no picture"));
  EXPECT_NO_THROW(write_report(t.home.path(), {}, stats_of({}, *t.catalog), *t.store, {}));
}

TEST(Stats, JsonGrowsTheDatasets) {
  TestCatalog t;
  t.add_forty();
  const auto set = freeze(*t.catalog, *t.store, {.min_support = 10}, t.root());
  auto json = nlohmann::json::parse(to_json(set, stats_of(set, *t.catalog), "/r.html"));
  EXPECT_EQ(json["report"], "/r.html");
  EXPECT_EQ(json["stats"]["hashtags_per_video"], (std::vector<int>{0, 8, 32}));
  EXPECT_EQ(json["stats"]["together"][0]["hashtags"][0], "fyp");
  json.erase("stats");
  json.erase("report");
  EXPECT_EQ(json, nlohmann::json::parse(to_json(set)));
}

TEST(Stats, ThePageIsWholeAndEscaped) {
  TestCatalog t;
  t.add_forty();
  for (int i = 0; i < 12; ++i) t.add("<b>" + std::to_string(i), "x" + std::to_string(i), {"<i>&", "fyp"});
  for (const char* labels : {"multi", "single"}) {
    const auto set = freeze(*t.catalog, *t.store, {.labels = labels, .min_support = 8}, t.root());
    const auto page =
        *read_file(write_report(t.root() / set.id, set, stats_of(set, *t.catalog), *t.store, {}), 1 << 24);
    EXPECT_THAT(page, HasSubstr("</html>"));
    EXPECT_THAT(page, HasSubstr("&lt;i&gt;&amp;"));
    for (const char* not_there : {"<b>", "<i>&", "http:", "https:", "<script", "nan"})
      EXPECT_THAT(page, Not(HasSubstr(not_there))) << labels;
    EXPECT_EQ(load(t.root(), set.id).id, set.id);  // the page does not affect the set
  }
}

}  // namespace
}  // namespace reeltag::dataset

// Conformance tests for every Catalog: fingerprints and clusters.
#include <gmock/gmock.h>

#include "catalog_conformance.hpp"

namespace reeltag::catalog {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::vector<SplitGrouping> groupings_of(Catalog& catalog) {
  std::vector<SplitGrouping> all;
  catalog.fingerprints.each([&](const SplitGrouping& grouping) { all.push_back(grouping); });
  return all;
}

TEST_P(CatalogConformance, KinComeInTheOrderOfTheirAddition) {
  EXPECT_THAT(groupings_of(*catalog_), IsEmpty());
  auto first = video_of(9);
  first.group = "g";
  first.author = id_of(7);
  first.created = 5;
  catalog_->record({.video = first, .fingerprint = "abc"});
  catalog_->videos.add(video_of(1));
  catalog_->record({.video = video_of(5), .fingerprint = ""});
  const auto all = groupings_of(*place_->open());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], (SplitGrouping{.video = id_of(9),
                                   .key = first.key,
                                   .group = "g",
                                   .author = id_of(7),
                                   .fingerprint = "abc",
                                   .cluster = "",
                                   .created = 5}));
  EXPECT_EQ(all[1].video, id_of(1));
  EXPECT_EQ(all[1].fingerprint, std::nullopt);
  EXPECT_EQ(all[1].created, std::nullopt);
  EXPECT_EQ(all[2].fingerprint, "");
}

TEST_P(CatalogConformance, FingerprintsAndClustersAreReplacedEachByItself) {
  for (int i = 1; i <= 3; ++i) catalog_->videos.add(video_of(i));
  catalog_->fingerprints.put(std::vector<std::pair<std::string, std::string>>{{id_of(1), "a"}, {id_of(8), "unknown"}});
  catalog_->fingerprints.put_clusters(
      std::vector<std::pair<std::string, std::string>>{{id_of(1), "c"}, {id_of(2), "c"}});
  catalog_->fingerprints.put(std::vector<std::pair<std::string, std::string>>{{id_of(1), "b"}});
  auto all = groupings_of(*catalog_);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].fingerprint, "b");
  EXPECT_EQ(all[0].cluster, "c");
  EXPECT_EQ(all[1].cluster, "");  // not computed
  EXPECT_EQ(all[1].fingerprint, std::nullopt);
  EXPECT_EQ(all[2].fingerprint, std::nullopt);
  catalog_->fingerprints.put_clusters(std::vector<std::pair<std::string, std::string>>{{id_of(1), ""}});
  EXPECT_EQ(groupings_of(*catalog_)[0].cluster, "");
}

TEST_P(CatalogConformance, ABadFingerprintChangesNothing) {
  EXPECT_THAT(error_of([&] { catalog_->record({.video = video_of(1), .fingerprint = "\xFF"}); }).message,
              HasSubstr("fingerprint"));
  EXPECT_EQ(catalog_->videos.count({}), 0);
  catalog_->videos.add(video_of(1));
  const std::vector<std::pair<std::string, std::string>> rows{{id_of(1), "good"}, {id_of(1), "\xFF"}};
  EXPECT_EQ(error_of([&] { catalog_->fingerprints.put(rows); }).code, Code::invalid_argument);
  EXPECT_EQ(groupings_of(*catalog_)[0].fingerprint, std::nullopt);
}

}  // namespace
}  // namespace reeltag::catalog

// Conformance tests for every Catalog: moving its rows to another one.
#include <gmock/gmock.h>

#include <stdexcept>

#include "catalog_conformance.hpp"

namespace reeltag::catalog {
namespace {

using testing::HasSubstr;

std::vector<Row> rows_of(Catalog& catalog) {
  std::vector<Row> rows;
  catalog.each_row([&](const Row& row) { rows.push_back(row); });
  return rows;
}

// One row of every kind, with times that add() would not set.
std::vector<Row> every_kind() {
  auto video = video_of(9, {"Cat", "cat", "d\xC3\xB6g"});
  video.added = 1;
  auto later = video_of(2);
  later.added = -5;
  later.created = 7;
  const Post post{.site = "tiktok",
                  .id = "1",
                  .source = "research",
                  .video = id_of(9),
                  .outcome = "added",
                  .round = 4,
                  .author = "a",
                  .caption = "c",
                  .hashtags = {"x", ""},
                  .created = 5,
                  .attributes = "{\"a\":1}",
                  .seen = 3};
  auto bare = post;
  bare.id = "2";
  bare.video = "";
  bare.created.reset();
  return {video,
          later,
          FingerprintRow{.video = id_of(9), .fingerprint = "f", .cluster = "c"},
          FingerprintRow{.video = id_of(2), .fingerprint = "", .cluster = ""},
          post,
          bare,
          Note{.name = "cursor", .body = "5"},
          Note{.name = std::string(kSaltNote), .body = "salt"},
          Tombstone{.kind = "video", .name = "abc", .made = 8}};
}

TEST_P(CatalogConformance, RowsComeBackAsTheyWerePut) {
  EXPECT_TRUE(rows_of(*catalog_).empty());
  const auto rows = every_kind();
  const Counts all{.videos = 2, .fingerprints = 2, .posts = 2, .notes = 2, .tombstones = 1};
  EXPECT_EQ(catalog_->restore(rows), all);
  EXPECT_EQ(rows_of(*place_->open()), rows);
  EXPECT_EQ(catalog_->restore(rows), Counts{});  // again: all rows exist already
  EXPECT_EQ(rows_of(*catalog_), rows);
}

TEST_P(CatalogConformance, WhatIsThereStays) {
  catalog_->record({.video = video_of(9, {"bird"}), .notes = {{"cursor", "9"}}, .fingerprint = "mine"});
  EXPECT_EQ(catalog_->restore(every_kind()),
            (Counts{.videos = 1, .fingerprints = 1, .posts = 2, .notes = 1, .tombstones = 1}));
  EXPECT_EQ(catalog_->videos.get(id_of(9))->hashtags, (std::vector<std::string>{"bird", "Cat", "d\xC3\xB6g"}));
  EXPECT_GT(catalog_->videos.get(id_of(9))->added, 1);
  EXPECT_EQ(catalog_->notes.get("cursor"), "9");
}

TEST_P(CatalogConformance, WhatWasForgottenHereStaysAway) {
  catalog_->tombstones.forget(Forgettable::video, id_of(9));
  auto rows = every_kind();
  const auto error = error_of([&] { catalog_->restore(rows); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("salt"));
  EXPECT_EQ(catalog_->videos.count({}), 0);  // all or nothing
  rows.resize(7);                            // without the salt and the tombstone
  EXPECT_EQ(catalog_->restore(rows), (Counts{.videos = 1, .fingerprints = 1, .posts = 1, .notes = 1}));
  EXPECT_EQ(catalog_->videos.get(id_of(9)), std::nullopt);
  EXPECT_EQ(catalog_->posts.get("tiktok", "1"), std::nullopt);
}

TEST_P(CatalogConformance, ARowThatCannotBeRestoredChangesNothing) {
  auto rows = every_kind();
  rows.emplace_back(Note{.name = "bad", .body = "\xFF"});
  EXPECT_THAT(error_of([&] { catalog_->restore(rows); }).message, HasSubstr("note bad"));
  EXPECT_EQ(catalog_->videos.count({}), 0);
}

TEST_P(CatalogConformance, RowsAreAsTheyWereAtTheBeginning) {
  catalog_->restore(every_kind());
  const auto other = place_->open();
  std::vector<Row> seen;
  catalog_->each_row([&](const Row& row) {
    if (seen.empty())
      other->record({.video = video_of(50), .post = std::get<Post>(every_kind()[5]), .notes = {{"z", "z"}}});
    seen.push_back(row);
  });
  EXPECT_EQ(seen, every_kind());
  EXPECT_THROW(catalog_->each_row([](const Row&) { throw std::runtime_error("enough"); }), std::runtime_error);
  EXPECT_EQ(rows_of(*catalog_).size(), seen.size() + 2);
}

}  // namespace
}  // namespace reeltag::catalog

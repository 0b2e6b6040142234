// Conformance tests for every Catalog: forgetting.
#include <gmock/gmock.h>

#include "catalog_conformance.hpp"
#include "reeltag/base/ids.hpp"

namespace reeltag::catalog {
namespace {

using testing::ElementsAre;

const std::string kAuthor = id_of(700);

Video by_author(int number, const std::string& hashtag) {
  auto video = video_of(number, {hashtag});
  video.author = video.group = kAuthor;
  return video;
}

Post post_of(const std::string& id, const std::string& video, const std::string& author = "") {
  Post post;
  post.site = "tiktok";
  post.id = id;
  post.source = "research";
  post.video = video;
  post.outcome = "added";
  post.author = author;
  return post;
}

TEST_P(CatalogConformance, AForgottenVideoIsGoneWithAllThatHangsOnIt) {
  catalog_->record({.video = video_of(1, {"cats", "only here"}), .post = post_of("11", id_of(1)), .fingerprint = "f"});
  catalog_->record({.post = post_of("12", id_of(1))});
  catalog_->record({.video = video_of(2, {"cats"}), .post = post_of("13", id_of(2))});
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::video, id_of(1)),
            (ForgetResult{.videos = {id_of(1)}, .posts = {"tiktok:11", "tiktok:12"}}));
  const auto other = place_->open();
  EXPECT_EQ(other->videos.get(id_of(1)), std::nullopt);
  EXPECT_EQ(other->posts.get("tiktok", "11"), std::nullopt);
  EXPECT_EQ(other->posts.get("tiktok", "12"), std::nullopt);
  EXPECT_TRUE(other->posts.get("tiktok", "13"));
  EXPECT_THAT(other->videos.hashtag_counts(), ElementsAre(testing::Pair("cats", 1)));
  int grouping = 0;
  other->fingerprints.each([&](const SplitGrouping&) { ++grouping; });
  EXPECT_EQ(grouping, 1);
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::video, id_of(1)), ForgetResult{});  // again: nothing is left
}

TEST_P(CatalogConformance, WhatIsForgottenDoesNotComeBack) {
  catalog_->record({.video = video_of(1, {"cats"}), .post = post_of("11", id_of(1))});
  catalog_->tombstones.forget(Forgettable::video, id_of(1));
  EXPECT_EQ(catalog_->videos.add(video_of(1)), AddOutcome::forgotten);
  EXPECT_THAT(catalog_->videos.add_all(std::vector<Video>{video_of(1), video_of(2)}),
              ElementsAre(AddOutcome::forgotten, AddOutcome::added));
  // Other bytes of the same post, another post of the same bytes: the notes are stored anyway.
  EXPECT_EQ(catalog_->record({.video = video_of(3), .post = post_of("11", id_of(3)), .notes = {{"at", "1"}}}),
            AddOutcome::forgotten);
  EXPECT_EQ(catalog_->record({.post = post_of("12", id_of(1)), .notes = {{"at", "2"}}}), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->notes.get("at"), "2");
  EXPECT_EQ(catalog_->videos.get(id_of(3)), std::nullopt);
  EXPECT_EQ(catalog_->posts.get("tiktok", "12"), std::nullopt);
  EXPECT_EQ(catalog_->videos.count({}), 1);
}

TEST_P(CatalogConformance, AForgottenPostTakesItsVideoAndThatOnesPosts) {
  catalog_->record({.video = video_of(1), .post = post_of("11", id_of(1))});
  catalog_->record({.post = post_of("12", id_of(1))});
  catalog_->record({.post = post_of("13", "")});
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::post, "tiktok:12"),
            (ForgetResult{.videos = {id_of(1)}, .posts = {"tiktok:12", "tiktok:11"}}));
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::post, "tiktok:13").posts, std::vector<std::string>{"tiktok:13"});
  auto imported = video_of(5);
  imported.source_id = "a:b";
  catalog_->videos.add(imported);
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::post, "import:a:b").videos, std::vector<std::string>{id_of(5)});
  EXPECT_EQ(catalog_->tombstones.forget(Forgettable::post, "tiktok:never met"), ForgetResult{});
  EXPECT_EQ(catalog_->record({.video = video_of(6), .post = post_of("never met", id_of(6))}), AddOutcome::forgotten);
}

TEST_P(CatalogConformance, AForgottenAuthorTakesAllVideosAndPosts) {
  catalog_->videos.add(by_author(1, "cats"));
  catalog_->record({.video = by_author(2, "dogs"), .post = post_of("12", id_of(2), kAuthor)});
  catalog_->record({.post = post_of("13", "", kAuthor)});
  auto grouped = video_of(3);
  grouped.group = kAuthor;
  catalog_->videos.add(grouped);
  catalog_->videos.add(video_of(4, {"cats"}));
  const auto gone = catalog_->tombstones.forget(Forgettable::author, kAuthor);
  EXPECT_THAT(gone.videos, ElementsAre(id_of(1), id_of(2), id_of(3)));
  EXPECT_THAT(gone.posts, ElementsAre("tiktok:12", "tiktok:13"));
  EXPECT_THAT(ids({}), ElementsAre(id_of(4)));
  // Recognized by the author, or by bytes and post if there is no author.
  EXPECT_EQ(catalog_->videos.add(by_author(9, "new")), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->videos.add(video_of(1)), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->record({.video = video_of(9), .post = post_of("13", id_of(9))}), AddOutcome::forgotten);
}

TEST_P(CatalogConformance, TombstonesKnowAndDoNotTell) {
  EXPECT_TRUE(catalog_->tombstones.all().empty());
  EXPECT_FALSE(catalog_->tombstones.holds(Forgettable::video, id_of(1)));
  catalog_->tombstones.forget(Forgettable::video, id_of(1));
  catalog_->tombstones.forget(Forgettable::download, "0123456789abcdef");
  const auto other = place_->open();
  EXPECT_TRUE(other->tombstones.holds(Forgettable::video, id_of(1)));
  EXPECT_FALSE(other->tombstones.holds(Forgettable::author, id_of(1)));
  EXPECT_FALSE(other->tombstones.holds(Forgettable::video, id_of(2)));
  const auto all = other->tombstones.all();
  EXPECT_TRUE(all.holds(Forgettable::video, id_of(1)));
  EXPECT_TRUE(all.holds(Forgettable::download, "0123456789abcdef"));
  EXPECT_FALSE(all.holds(Forgettable::video, id_of(2)));
  EXPECT_FALSE(all.holds(Forgettable::post, id_of(1)));
}

TEST_P(CatalogConformance, ADownloadGoesWithItsPost) {
  catalog_->record({.post = post_of("11", id_of(1))});
  catalog_->tombstones.forget(Forgettable::video, id_of(1));
  catalog_->tombstones.forget(Forgettable::post, "tiktok:12");
  for (const char* id : {"11", "12"})
    EXPECT_TRUE(catalog_->tombstones.holds(Forgettable::download, content_id(id))) << id;
  EXPECT_FALSE(catalog_->tombstones.holds(Forgettable::download, content_id("13")));
}

TEST_P(CatalogConformance, ForgettingIsPendingUntilItIsFinished) {
  EXPECT_EQ(catalog_->tombstones.pending(), "");
  catalog_->tombstones.forget(Forgettable::video, id_of(1));
  const auto first = place_->open()->tombstones.pending();
  EXPECT_NE(first, "");
  catalog_->tombstones.forget(Forgettable::video, id_of(2));
  catalog_->tombstones.finish(first);  // another forget() has happened since
  const auto second = catalog_->tombstones.pending();
  EXPECT_NE(second, "");
  EXPECT_NE(second, first);
  catalog_->tombstones.finish(second);
  EXPECT_EQ(catalog_->tombstones.pending(), "");
}

TEST_P(CatalogConformance, WhatCannotBeForgottenIsRefused) {
  for (const auto& [kind, value] : {std::pair{Forgettable::video, std::string("abc")},
                                    {Forgettable::author, "a name"},
                                    {Forgettable::post, "no colon"},
                                    {Forgettable::post, "tiktok:"},
                                    {Forgettable::post, ":1"},
                                    {Forgettable::download, ""},
                                    {Forgettable::post, "tiktok:\xFF"}}) {
    EXPECT_EQ(error_of([&] { catalog_->tombstones.forget(kind, value); }).code, Code::invalid_argument) << value;
  }
  EXPECT_TRUE(catalog_->tombstones.all().empty());
}

TEST_P(CatalogConformance, CompactKeepsWhatIsThere) {
  for (int i = 1; i <= 20; ++i) catalog_->videos.add(video_of(i, {"tag " + std::to_string(i)}));
  catalog_->tombstones.forget(Forgettable::video, id_of(3));
  catalog_->compact();
  EXPECT_EQ(catalog_->videos.count({}), 19);
  EXPECT_EQ(place_->open()->videos.hashtag_counts().size(), 19U);
  EXPECT_EQ(catalog_->videos.add(video_of(3)), AddOutcome::forgotten);
}

}  // namespace
}  // namespace reeltag::catalog

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
  EXPECT_EQ(catalog_->forget(Forgettable::video, id_of(1)),
            (ForgetResult{.videos = {id_of(1)}, .posts = {"tiktok:11", "tiktok:12"}}));
  const auto other = place_->open();
  EXPECT_EQ(other->get(id_of(1)), std::nullopt);
  EXPECT_EQ(other->post("tiktok", "11"), std::nullopt);
  EXPECT_EQ(other->post("tiktok", "12"), std::nullopt);
  EXPECT_TRUE(other->post("tiktok", "13"));
  EXPECT_THAT(other->hashtag_counts(), ElementsAre(testing::Pair("cats", 1)));
  int grouping = 0;
  other->each_grouping([&](const SplitGrouping&) { ++grouping; });
  EXPECT_EQ(grouping, 1);
  EXPECT_EQ(catalog_->forget(Forgettable::video, id_of(1)), ForgetResult{});  // again: nothing is left
}

TEST_P(CatalogConformance, WhatIsForgottenDoesNotComeBack) {
  catalog_->record({.video = video_of(1, {"cats"}), .post = post_of("11", id_of(1))});
  catalog_->forget(Forgettable::video, id_of(1));
  EXPECT_EQ(catalog_->add(video_of(1)), AddOutcome::forgotten);
  EXPECT_THAT(catalog_->add_all(std::vector<Video>{video_of(1), video_of(2)}),
              ElementsAre(AddOutcome::forgotten, AddOutcome::added));
  // Other bytes of the same post, another post of the same bytes: the notes are stored anyway.
  EXPECT_EQ(catalog_->record({.video = video_of(3), .post = post_of("11", id_of(3)), .notes = {{"at", "1"}}}),
            AddOutcome::forgotten);
  EXPECT_EQ(catalog_->record({.post = post_of("12", id_of(1)), .notes = {{"at", "2"}}}), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->note("at"), "2");
  EXPECT_EQ(catalog_->get(id_of(3)), std::nullopt);
  EXPECT_EQ(catalog_->post("tiktok", "12"), std::nullopt);
  EXPECT_EQ(catalog_->count({}), 1);
}

TEST_P(CatalogConformance, AForgottenPostTakesItsVideoAndThatOnesPosts) {
  catalog_->record({.video = video_of(1), .post = post_of("11", id_of(1))});
  catalog_->record({.post = post_of("12", id_of(1))});
  catalog_->record({.post = post_of("13", "")});
  EXPECT_EQ(catalog_->forget(Forgettable::post, "tiktok:12"),
            (ForgetResult{.videos = {id_of(1)}, .posts = {"tiktok:12", "tiktok:11"}}));
  EXPECT_EQ(catalog_->forget(Forgettable::post, "tiktok:13").posts, std::vector<std::string>{"tiktok:13"});
  auto imported = video_of(5);
  imported.source_id = "a:b";
  catalog_->add(imported);
  EXPECT_EQ(catalog_->forget(Forgettable::post, "import:a:b").videos, std::vector<std::string>{id_of(5)});
  EXPECT_EQ(catalog_->forget(Forgettable::post, "tiktok:never met"), ForgetResult{});
  EXPECT_EQ(catalog_->record({.video = video_of(6), .post = post_of("never met", id_of(6))}), AddOutcome::forgotten);
}

TEST_P(CatalogConformance, AForgottenAuthorTakesAllVideosAndPosts) {
  catalog_->add(by_author(1, "cats"));
  catalog_->record({.video = by_author(2, "dogs"), .post = post_of("12", id_of(2), kAuthor)});
  catalog_->record({.post = post_of("13", "", kAuthor)});
  auto grouped = video_of(3);
  grouped.group = kAuthor;
  catalog_->add(grouped);
  catalog_->add(video_of(4, {"cats"}));
  const auto gone = catalog_->forget(Forgettable::author, kAuthor);
  EXPECT_THAT(gone.videos, ElementsAre(id_of(1), id_of(2), id_of(3)));
  EXPECT_THAT(gone.posts, ElementsAre("tiktok:12", "tiktok:13"));
  EXPECT_THAT(ids({}), ElementsAre(id_of(4)));
  // Recognized by the author, or by bytes and post if there is no author.
  EXPECT_EQ(catalog_->add(by_author(9, "new")), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->add(video_of(1)), AddOutcome::forgotten);
  EXPECT_EQ(catalog_->record({.video = video_of(9), .post = post_of("13", id_of(9))}), AddOutcome::forgotten);
}

TEST_P(CatalogConformance, TombstonesKnowAndDoNotTell) {
  EXPECT_TRUE(catalog_->tombstones().empty());
  EXPECT_FALSE(catalog_->is_forgotten(Forgettable::video, id_of(1)));
  catalog_->forget(Forgettable::video, id_of(1));
  catalog_->forget(Forgettable::download, "0123456789abcdef");
  const auto other = place_->open();
  EXPECT_TRUE(other->is_forgotten(Forgettable::video, id_of(1)));
  EXPECT_FALSE(other->is_forgotten(Forgettable::author, id_of(1)));
  EXPECT_FALSE(other->is_forgotten(Forgettable::video, id_of(2)));
  const auto all = other->tombstones();
  EXPECT_TRUE(all.holds(Forgettable::video, id_of(1)));
  EXPECT_TRUE(all.holds(Forgettable::download, "0123456789abcdef"));
  EXPECT_FALSE(all.holds(Forgettable::video, id_of(2)));
  EXPECT_FALSE(all.holds(Forgettable::post, id_of(1)));
}

TEST_P(CatalogConformance, ADownloadGoesWithItsPost) {
  catalog_->record({.post = post_of("11", id_of(1))});
  catalog_->forget(Forgettable::video, id_of(1));
  catalog_->forget(Forgettable::post, "tiktok:12");
  for (const char* id : {"11", "12"}) EXPECT_TRUE(catalog_->is_forgotten(Forgettable::download, content_id(id))) << id;
  EXPECT_FALSE(catalog_->is_forgotten(Forgettable::download, content_id("13")));
}

TEST_P(CatalogConformance, ForgettingIsPendingUntilItIsFinished) {
  EXPECT_EQ(catalog_->forgetting(), "");
  catalog_->forget(Forgettable::video, id_of(1));
  const auto first = place_->open()->forgetting();
  EXPECT_NE(first, "");
  catalog_->forget(Forgettable::video, id_of(2));
  catalog_->finish_forgetting(first);  // another forget() has happened since
  const auto second = catalog_->forgetting();
  EXPECT_NE(second, "");
  EXPECT_NE(second, first);
  catalog_->finish_forgetting(second);
  EXPECT_EQ(catalog_->forgetting(), "");
}

TEST_P(CatalogConformance, WhatCannotBeForgottenIsRefused) {
  for (const auto& [kind, value] : {std::pair{Forgettable::video, std::string("abc")},
                                    {Forgettable::author, "a name"},
                                    {Forgettable::post, "no colon"},
                                    {Forgettable::post, "tiktok:"},
                                    {Forgettable::post, ":1"},
                                    {Forgettable::download, ""},
                                    {Forgettable::post, "tiktok:\xFF"}}) {
    EXPECT_EQ(error_of([&] { catalog_->forget(kind, value); }).code, Code::invalid_argument) << value;
  }
  EXPECT_TRUE(catalog_->tombstones().empty());
}

TEST_P(CatalogConformance, CompactKeepsWhatIsThere) {
  for (int i = 1; i <= 20; ++i) catalog_->add(video_of(i, {"tag " + std::to_string(i)}));
  catalog_->forget(Forgettable::video, id_of(3));
  catalog_->compact();
  EXPECT_EQ(catalog_->count({}), 19);
  EXPECT_EQ(place_->open()->hashtag_counts().size(), 19U);
  EXPECT_EQ(catalog_->add(video_of(3)), AddOutcome::forgotten);
}

}  // namespace
}  // namespace reeltag::catalog

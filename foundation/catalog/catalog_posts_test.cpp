// Conformance tests for every Catalog: posts and notes.
#include <gmock/gmock.h>

#include "catalog_conformance.hpp"

namespace reeltag::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Post post_of(const std::string& id) {
  Post post;
  post.site = "tiktok";
  post.id = id;
  post.source = "research";
  post.outcome = "described";
  post.round = 3;
  post.author = id_of(7);
  post.caption = "a \"caption\" \xF0\x9F\x8D\x85";
  post.hashtags = {"Cats", "\xF0\x9F\x8D\x85"};
  post.created = 1'700'000'000;
  post.attributes = R"({"view_count":1})";
  return post;
}

TEST_P(CatalogConformance, APostIsKeptWithoutAVideo) {
  EXPECT_EQ(catalog_->posts.get("tiktok", "1"), std::nullopt);
  const auto post = post_of("7300000000000000001");
  EXPECT_EQ(catalog_->record({.post = post}), AddOutcome::duplicate);
  auto stored = place_->open()->posts.get("tiktok", post.id);
  ASSERT_TRUE(stored);
  EXPECT_GT(stored->seen, 1'700'000'000);
  stored->seen = 0;
  EXPECT_EQ(*stored, post);
  EXPECT_EQ(catalog_->posts.get("elsewhere", post.id), std::nullopt);
  EXPECT_EQ(catalog_->videos.count({}), 0);
}

TEST_P(CatalogConformance, NotesAreListedByTheStartOfTheirNames) {
  for (const auto* name : {"collect/b", "collect/a", "collector", "Collect/x", "collect%", "other"}) {
    catalog_->notes.put({name, std::string("of ") + name});
  }
  catalog_->notes.put({"collect/a", "again"});
  EXPECT_THAT(catalog_->notes.list("collect/"),
              ElementsAre(Note{"collect/a", "again"}, Note{"collect/b", "of collect/b"}));
  EXPECT_THAT(catalog_->notes.list("collect%"), ElementsAre(Note{"collect%", "of collect%"}));
  EXPECT_THAT(catalog_->notes.list("_"), IsEmpty());
  EXPECT_EQ(catalog_->notes.list("").size(), 6U);
}

TEST_P(CatalogConformance, APostIsReplacedAndItsVideoAddedInOneGo) {
  auto post = post_of("1");
  catalog_->record({.post = post});
  post.outcome = "added";
  post.video = id_of(1);
  post.created.reset();
  EXPECT_EQ(catalog_->record({.video = video_of(1, {"cats"}), .post = post, .notes = {{"cursor", "5"}}}),
            AddOutcome::added);
  EXPECT_EQ(catalog_->posts.get("tiktok", "1")->video, id_of(1));
  EXPECT_EQ(catalog_->posts.get("tiktok", "1")->created, std::nullopt);
  EXPECT_EQ(catalog_->notes.get("cursor"), "5");
  EXPECT_EQ(catalog_->videos.count({}), 1);
  EXPECT_EQ(catalog_->record({.video = video_of(1, {"dogs"})}), AddOutcome::duplicate);
  EXPECT_THAT(stored(id_of(1)).hashtags, ElementsAre("cats", "dogs"));
}

TEST_P(CatalogConformance, ManyAreRecordedAllOrNone) {
  auto bad = post_of("c");
  bad.attributes = "[]";
  const std::vector<ChangeSet> half{{.post = post_of("a")}, {.post = bad}};
  EXPECT_EQ(error_of([&] { catalog_->record_all(half); }).code, Code::invalid_argument);
  EXPECT_EQ(catalog_->posts.get("tiktok", "a"), std::nullopt);
  auto changed = post_of("a");
  changed.caption = "changed";
  const std::vector<ChangeSet> all{
      {.video = video_of(1, {"cats"}), .post = post_of("a")}, {.post = changed}, {.notes = {{"cursor", "5"}}}};
  catalog_->record_all(all);
  catalog_->record_all({});
  EXPECT_EQ(place_->open()->posts.get("tiktok", "a")->caption, "changed");
  EXPECT_EQ(catalog_->notes.get("cursor"), "5");
  EXPECT_EQ(catalog_->videos.count({}), 1);
}

TEST_P(CatalogConformance, PostsAreGoneThroughInOrder) {
  auto elsewhere = post_of("1");
  elsewhere.site = "elsewhere";
  elsewhere.created.reset();
  for (const auto& post : {post_of("b"), post_of("a"), elsewhere}) catalog_->record({.post = post});
  std::vector<Post> found;
  catalog_->posts.each([&](const Post& post) { found.push_back(post); });
  ASSERT_EQ(found.size(), 3U);
  for (auto& post : found) post.seen = 0;
  EXPECT_EQ(found, (std::vector<Post>{elsewhere, post_of("a"), post_of("b")}));
  EXPECT_EQ(error_of([&] { catalog_->posts.each([&](const Post&) { catalog_->videos.count({}); }); }).code,
            Code::internal);
  EXPECT_THROW(catalog_->posts.each([](const Post&) { throw std::runtime_error("seen enough"); }), std::runtime_error);
  EXPECT_EQ(catalog_->videos.count({}), 0);  // the catalog remains usable
}

TEST_P(CatalogConformance, ARecordThatCannotBeStoredChangesNothing) {
  auto bad = post_of("1");
  bad.attributes = "[]";
  EXPECT_THAT(error_of([&] { catalog_->record({.video = video_of(1), .post = bad}); }).message,
              HasSubstr("post tiktok 1: attributes"));
  bad = post_of("");
  EXPECT_EQ(error_of([&] { catalog_->record({.post = bad}); }).code, Code::invalid_argument);
  bad = post_of("2");
  bad.video = "short";
  EXPECT_EQ(error_of([&] { catalog_->record({.post = bad, .notes = {{"cursor", "5"}}}); }).code,
            Code::invalid_argument);
  EXPECT_EQ(error_of([&] { catalog_->record({.post = post_of("3"), .notes = {{"cursor", "\xFF"}}}); }).code,
            Code::invalid_argument);
  EXPECT_EQ(catalog_->videos.count({}), 0);
  EXPECT_THAT(catalog_->posts.counts("tiktok"), IsEmpty());
  EXPECT_EQ(catalog_->notes.get("cursor"), std::nullopt);
}

TEST_P(CatalogConformance, PostsAreCountedByOutcomeAndNotesReplaced) {
  for (const char* id : {"1", "2", "3"}) catalog_->record({.post = post_of(id)});
  auto gone = post_of("4");
  gone.outcome = "deleted";
  catalog_->record({.post = gone, .notes = {{"a", "1"}, {"b", "2"}}});
  EXPECT_THAT(catalog_->posts.counts("tiktok"), ElementsAre(Pair("deleted", 1), Pair("described", 3)));
  catalog_->record({.notes = {{"a", "3"}}});
  EXPECT_EQ(catalog_->notes.get("a"), "3");
  EXPECT_EQ(catalog_->notes.get("b"), "2");
}

}  // namespace
}  // namespace reeltag::catalog

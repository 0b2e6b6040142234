#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "snapshot/format.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

namespace fs = std::filesystem;
using catalog::Forgettable;
using testing::HasSubstr;
using testing::Not;

class Redact : public testing::Test {
 protected:
  Redact() {
    t_.add_forty();
    lost_ = t_.add("lost", "group 3", {"cat"});
    t_.store->remove("videos/" + lost_ + ".mp4");
    set_ = freeze(*t_.catalog, *t_.store, {.min_support = 5}, t_.root());
    video_ = set_.items[3].video;
  }
  [[nodiscard]] std::string all_bytes() const {
    std::string bytes;
    for (const auto& entry : fs::recursive_directory_iterator(t_.root())) {
      bytes += entry.path().string() + "\n";
      if (entry.is_regular_file()) bytes += *read_file(entry.path(), 1 << 24);
    }
    return bytes;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(t_.root() / set_.id)) result.push_back(entry.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }

  TestCatalog t_;
  std::string lost_, video_;
  Dataset set_;
};

TEST_F(Redact, TakesWhatIsForgottenOutAndKeepsTheId) {
  write_file(t_.root() / set_.id / "report.html", video_);
  t_.catalog->tombstones.forget(Forgettable::video, video_);
  t_.catalog->tombstones.forget(Forgettable::video, lost_);
  const auto done = redact(t_.root(), t_.catalog->tombstones.all());
  ASSERT_EQ(done.sets.size(), 1U);
  EXPECT_EQ(done.sets[0].id, set_.id);
  EXPECT_EQ(done.sets[0].videos, 1);
  EXPECT_TRUE(done.sets[0].report);
  EXPECT_TRUE(done.unreadable.empty());
  const auto bytes = all_bytes();
  EXPECT_THAT(bytes, Not(HasSubstr(video_)));
  EXPECT_THAT(bytes, Not(HasSubstr(lost_)));
  const auto left = load(t_.root(), set_.id);
  EXPECT_EQ(left.id, set_.id);
  EXPECT_EQ(left.items.size(), set_.items.size() - 1);
  EXPECT_EQ(left.forgotten, 1);
  EXPECT_TRUE(left.rejected.empty());
  EXPECT_EQ(left.vocabulary, set_.vocabulary);
  EXPECT_EQ(left.created, set_.created);
  EXPECT_EQ(nlohmann::json::parse(to_json(left))["forgotten"], 1);
  EXPECT_EQ(list(t_.root())[0]->forgotten, 1);
  EXPECT_EQ(list(t_.root())[0]->videos,
            (std::array<std::int64_t, 3>{left.count(Split::train), left.count(Split::val), left.count(Split::test)}));
  // A second call finds nothing; a further removal adds up.
  EXPECT_TRUE(redact(t_.root(), t_.catalog->tombstones.all()).sets.empty());
  t_.catalog->tombstones.forget(Forgettable::video, left.items[0].video);
  redact(t_.root(), t_.catalog->tombstones.all());
  EXPECT_EQ(load(t_.root(), set_.id).forgotten, 2);
  EXPECT_EQ(names().size(), 2U);
}

TEST_F(Redact, ReadersLeaveOutWhatHasATombstoneBeforeTheFilesAreRewritten) {
  t_.catalog->tombstones.forget(Forgettable::video, video_);
  EXPECT_EQ(load(t_.root(), set_.id).forgotten, 0);
  const auto set = load(t_.root(), set_.id, t_.catalog->tombstones.all());
  EXPECT_EQ(set.forgotten, 1);
  EXPECT_EQ(set.items.size(), set_.items.size() - 1);
  for (const auto& item : set.items) EXPECT_NE(item.video, video_);
}

TEST_F(Redact, AnAuthorGoesByAuthorAndByGroup) {
  const auto author = hex(sha256("somebody"));
  t_.add_related("by author", "g", author, 1);
  t_.add_related("by group", author, "", 2);
  const auto set = freeze(*t_.catalog, *t_.store, {.min_support = 5}, t_.root());
  t_.catalog->tombstones.forget(Forgettable::author, author);
  const auto done = redact(t_.root(), t_.catalog->tombstones.all());
  ASSERT_EQ(done.sets.size(), 1U);
  EXPECT_EQ(done.sets[0].videos, 2);
  EXPECT_THAT(all_bytes(), Not(HasSubstr(author)));
}

TEST_F(Redact, AKillBetweenTheWritesLeavesTheSetWhole) {
  const auto folder = t_.root() / set_.id;
  const auto old_videos = *read_file(folder / "videos.jsonl", 1 << 24);
  t_.catalog->tombstones.forget(Forgettable::video, video_);
  auto set = load(t_.root(), set_.id, t_.catalog->tombstones.all());
  // Killed before dataset.json was written: the videos under the new name are ignored.
  const auto files = encode_redacted(set);
  write_file(folder / files.videos_name, files.videos_jsonl);
  std::ofstream(folder / ".tmp-123") << "half " << video_;
  EXPECT_EQ(load(t_.root(), set_.id).items.size(), set_.items.size());
  EXPECT_EQ(redact(t_.root(), t_.catalog->tombstones.all()).sets.size(), 1U);
  EXPECT_EQ(names().size(), 2U);
  // Killed before the old videos were removed.
  std::ofstream(folder / "videos.jsonl") << old_videos;
  EXPECT_EQ(load(t_.root(), set_.id).forgotten, 1);
  EXPECT_TRUE(redact(t_.root(), t_.catalog->tombstones.all()).sets.empty());
  EXPECT_THAT(all_bytes(), Not(HasSubstr(video_)));
}

TEST_F(Redact, ARedactedSetIsCheckedAsAnyOther) {
  t_.catalog->tombstones.forget(Forgettable::video, video_);
  redact(t_.root(), t_.catalog->tombstones.all());
  const auto folder = t_.root() / set_.id;
  const auto videos = videos_file(folder);
  const auto good = *read_file(videos, 1 << 24);
  write_file(videos, good.substr(0, good.size() / 2));
  EXPECT_THROW(load(t_.root(), set_.id), Exception);
  const auto done = redact(t_.root(), t_.catalog->tombstones.all());
  ASSERT_EQ(done.unreadable.size(), 1U);
  EXPECT_THAT(done.unreadable[0].message, HasSubstr(set_.id));
  write_file(videos, good);
  auto head = nlohmann::json::parse(*read_file(folder / "dataset.json", 1 << 24));
  EXPECT_EQ(head["format"], 2);  // a program that knows only format 1 rejects it
  head["content"]["forgotten"] = 0;
  write_file(folder / "dataset.json", head.dump());
  EXPECT_THROW(load(t_.root(), set_.id), Exception);
}

}  // namespace
}  // namespace reeltag::dataset

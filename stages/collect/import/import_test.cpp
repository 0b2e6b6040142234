#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/make_clips.hpp"
#include "reeltag/media/fingerprint.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ImportTest : public testing::Test {
 protected:
  // Six clips of three classes, generated once for all tests.
  static void SetUpTestSuite() {
    shared_clips = new TemporaryFolder("clips");
    make_clips::write({.classes = 3, .clips_per_class = 2, .seconds = 0.4, .width = 64, .height = 64},
                      shared_clips->path());
  }
  static void TearDownTestSuite() { delete shared_clips; }

  ImportTest()
      : catalog_(catalog::open((home_.path() / "catalog.db").string())),
        store_(store::open((home_.path() / "store").string())) {}

  ImportReport import(std::vector<fs::path> paths, int jobs = 2) {
    return import_paths(paths, {.salt_file = home_.path() / "author.salt", .jobs = jobs}, *catalog_, *store_, {});
  }
  static std::vector<make_clips::Clip> planned() { return make_clips::plan({.classes = 3, .clips_per_class = 2}); }
  std::vector<catalog::Video> videos() {
    std::vector<catalog::Video> all;
    catalog_->videos.each({}, [&](const catalog::Video& v) { all.push_back(v); });
    return all;
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((home_.path() / name).parent_path());
    std::ofstream(home_.path() / name, std::ios::binary) << text;
  }

  static TemporaryFolder* shared_clips;
  TemporaryFolder home_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<store::Store> store_;
};
TemporaryFolder* ImportTest::shared_clips = nullptr;

TEST_F(ImportTest, AManifestBecomesRowsAndBlobsAndASecondRunAddsNothing) {
  const auto report = import({shared_clips->path()});
  EXPECT_EQ(report.added, 6);
  EXPECT_EQ(report.duplicate, 0);
  EXPECT_TRUE(report.rejected.empty());
  const auto want = planned();
  for (const auto& v : videos()) {
    const auto at = std::find_if(want.begin(), want.end(), [&](const auto& c) { return c.id == v.source_id; });
    ASSERT_NE(at, want.end());
    EXPECT_EQ(v.hashtags, at->hashtags);
    EXPECT_EQ(v.caption, at->caption);
    EXPECT_EQ(v.group, at->group);
    EXPECT_EQ(v.created, at->created);
    EXPECT_EQ(v.author.size(), 64U);
    EXPECT_EQ(v.author.find("maker"), std::string::npos);
    EXPECT_EQ(v.width, 64);
    EXPECT_EQ(v.codec, "h264");
    EXPECT_NEAR(v.duration, 0.4, 0.08);
    EXPECT_EQ(v.key, "videos/" + v.id + ".mp4");
    EXPECT_EQ(nlohmann::json::parse(v.attributes).at("category"), at->class_name);
    const auto blob = store_->stat(v.key);
    ASSERT_TRUE(blob.has_value());
    EXPECT_EQ(blob->size_bytes, v.size_bytes);
  }
  const auto again = import({shared_clips->path()}, 1);
  EXPECT_EQ(again.added, 0);
  EXPECT_EQ(again.duplicate, 6);
  EXPECT_EQ(catalog_->videos.count({}), 6);
}

TEST_F(ImportTest, LabelFoldersAndSingleFiles) {
  const auto clips = planned();
  for (const auto& clip : clips) {
    fs::create_directories(home_.path() / "set" / clip.class_name);
    fs::copy_file(shared_clips->path() / clip.file, home_.path() / "set" / clip.file);
  }
  EXPECT_EQ(import({home_.path() / "set"}).added, 6);
  for (const auto& v : videos()) {
    ASSERT_EQ(v.hashtags.size(), 1U);
    EXPECT_EQ(v.group, v.id);
    EXPECT_EQ(v.author, "");
  }
  EXPECT_EQ(catalog_->videos.count({.source = {}, .hashtag = clips[0].class_name}), 2);
  EXPECT_EQ(import({shared_clips->path() / clips[0].file}).duplicate, 1);
}

TEST_F(ImportTest, EveryRejectedFileHasItsReasonAndTheOthersCount) {
  const auto clips = planned();
  fs::create_directories(home_.path() / "set/a");
  fs::copy_file(shared_clips->path() / clips[0].file, home_.path() / "set/a/good.mp4");
  write("set/a/text.mp4", "this is no video at all, only words that go on for a while");
  write("set/a/empty.mp4", "");
  const auto whole = *read_file(shared_clips->path() / clips[1].file, 1 << 20);
  write("set/a/cut.mp4", whole.substr(0, whole.size() / 2));
  write("set/m.jsonl",
        "{\"file\": \"a/good.mp4\"}\nnonsense\n{\"file\": \"a/gone.mp4\"}\n{\"file\": \"../catalog.db\"}\n");
  const auto report = import({home_.path() / "set/a", home_.path() / "set/m.jsonl"});
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(report.duplicate, 1);
  ASSERT_EQ(report.rejected.size(), 6U);
  EXPECT_THAT(report.rejected[0].path, HasSubstr("cut.mp4"));
  EXPECT_THAT(report.rejected[1].path, HasSubstr("empty.mp4"));
  EXPECT_EQ(report.rejected[1].reason.code, Code::not_a_video);
  EXPECT_THAT(report.rejected[2].path, HasSubstr("text.mp4"));
  EXPECT_EQ(report.rejected[2].reason.code, Code::not_a_video);
  EXPECT_THAT(report.rejected[3].path, HasSubstr("m.jsonl:2"));
  EXPECT_EQ(report.rejected[4].reason.code, Code::not_found);
  EXPECT_EQ(report.rejected[5].reason.code, Code::permission_denied);
  EXPECT_EQ(store_->list("videos/").size(), 1U);  // nothing is kept of the rejected ones
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["added"], 1);
  EXPECT_EQ(json["rejected"].size(), 6U);
  EXPECT_THAT(json["rejected"][1]["reason"].get<std::string>(), testing::StartsWith("not_a_video: "));
}

TEST_F(ImportTest, AMissingPathAmongSeveralIsOneOfTheRejected) {
  const auto good = shared_clips->path() / planned()[0].file;
  const auto report = import({home_.path() / "gone", good});
  EXPECT_EQ(report.added, 1);
  ASSERT_EQ(report.rejected.size(), 1U);
  EXPECT_EQ(report.rejected[0].path, (home_.path() / "gone").string());
  EXPECT_EQ(report.rejected[0].reason.code, Code::not_found);
}

TEST_F(ImportTest, TheFirstOfTwoEqualFilesCountsWhateverTheThreadsDo) {
  const auto clip = planned()[0];
  std::string lines;
  for (int i = 0; i < 12; ++i) {
    const auto name = std::to_string(i) + ".mp4";
    fs::create_directories(home_.path() / "set");
    fs::copy_file(shared_clips->path() / clip.file, home_.path() / "set" / name);
    lines += R"({"file": ")" + name + R"(", "id": ")" + std::to_string(i) + "\"}\n";
  }
  write("set/manifest.jsonl", lines);
  const auto report = import({home_.path() / "set"}, 4);
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(report.duplicate, 11);
  EXPECT_EQ(videos()[0].source_id, "0");
}

TEST_F(ImportTest, MissingPathsAndOverLimitsAndStopping) {
  EXPECT_THROW(import({home_.path() / "nowhere"}), Exception);
  EXPECT_THROW(import({}), Exception);
  const std::vector<fs::path> paths{shared_clips->path()};
  media::Limits tiny;
  tiny.max_bytes = 100;
  const auto report = import_paths(paths, {.salt_file = home_.path() / "s"}, *catalog_, *store_, tiny);
  ASSERT_EQ(report.rejected.size(), 6U);
  EXPECT_EQ(report.rejected[0].reason.code, Code::too_large);
  std::stop_source source;
  source.request_stop();
  try {
    import_paths(paths, {.salt_file = home_.path() / "s", .stop = source.get_token()}, *catalog_, *store_, {});
    FAIL() << "went on";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::interrupted);
  }
}

// A store that fails in the middle of the run.
class LostStore : public store::Store {
 public:
  explicit LostStore(store::Store& inner) : inner_(inner) {}
  void put(std::string_view key, std::string_view bytes) override { inner_.put(key, bytes); }
  void put_file(std::string_view key, const fs::path& from) override {
    if (puts_++ >= 2) throw Exception(Code::unavailable, "the disk is gone");
    inner_.put_file(key, from);
  }
  std::optional<std::string> get(std::string_view key) override { return inner_.get(key); }
  std::string get_range(std::string_view key, std::int64_t o, std::int64_t n) override {
    return inner_.get_range(key, o, n);
  }
  std::optional<store::Blob> stat(std::string_view key) override { return inner_.stat(key); }
  std::vector<store::Blob> list(std::string_view prefix) override { return inner_.list(prefix); }
  bool remove(std::string_view key) override { return inner_.remove(key); }
  fs::path local_path(std::string_view key) override { return inner_.local_path(key); }
  [[nodiscard]] std::string url() const override { return inner_.url(); }

 private:
  store::Store& inner_;
  std::atomic<int> puts_{0};
};

TEST_F(ImportTest, ALostStoreEndsTheRunAndEveryRowHasItsBlob) {
  LostStore lost(*store_);
  const std::vector<fs::path> paths{shared_clips->path()};
  EXPECT_THROW(import_paths(paths, {.salt_file = home_.path() / "s", .jobs = 2}, *catalog_, lost, {}), Exception);
  for (const auto& v : videos()) EXPECT_TRUE(store_->stat(v.key).has_value());
  EXPECT_LE(catalog_->videos.count({}), 2);
  EXPECT_EQ(import({shared_clips->path()}).rejected.size(), 0U);
  EXPECT_EQ(catalog_->videos.count({}), 6);
}

TEST_F(ImportTest, AFingerprintComesWithTheVideo) {
  import({shared_clips->path()});
  int seen = 0;
  catalog_->fingerprints.each([&](const catalog::SplitGrouping& grouping) {
    ++seen;
    ASSERT_TRUE(grouping.fingerprint) << grouping.video;
    EXPECT_TRUE(media::fingerprint_from(*grouping.fingerprint)) << *grouping.fingerprint;
  });
  EXPECT_EQ(seen, 6);
}

TEST_F(ImportTest, WhatIsForgottenIsRejectedAndLeavesNoBytes) {
  import({shared_clips->path()});
  const auto gone = videos().front();
  catalog_->tombstones.forget(catalog::Forgettable::video, gone.id);
  store_->remove(gone.key);
  const auto again = import({shared_clips->path()});
  EXPECT_EQ(again.duplicate, 5);
  ASSERT_EQ(again.rejected.size(), 1U);
  EXPECT_THAT(again.rejected[0].reason.message, HasSubstr("forgotten"));
  EXPECT_FALSE(store_->stat(gone.key));
  EXPECT_EQ(catalog_->videos.count({}), 5);
}

TEST_F(ImportTest, VideosOfAForgottenAuthorAreRejectedUnlessSomebodyElseHasThem) {
  const auto clip = planned().front().file;
  fs::copy(shared_clips->path() / clip, home_.path() / "a.mp4");
  fs::copy(shared_clips->path() / planned().back().file, home_.path() / "b.mp4");
  write("mine.jsonl", R"({"file": "b.mp4", "author": "bob"})");
  EXPECT_EQ(import({home_.path() / "mine.jsonl"}).added, 1);
  catalog_->tombstones.forget(catalog::Forgettable::author, author_hash(home_.path() / "author.salt", "alice"));
  write("hers.jsonl", R"({"file": "a.mp4", "author": "alice"})"
                      "\n"
                      R"({"file": "b.mp4", "author": "alice"})");
  EXPECT_EQ(import({home_.path() / "hers.jsonl"}).rejected.size(), 2U);
  const auto left = videos();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(store_->list("").size(), 1U);
  EXPECT_TRUE(store_->stat(left[0].key));  // bob's
}

TEST_F(ImportTest, ABlobThatIsMissingOrCutIsPutBack) {
  import({shared_clips->path()});
  const auto all = videos();
  store_->remove(all[0].key);
  store_->put(all[1].key, "cut");
  EXPECT_EQ(import({shared_clips->path()}).duplicate, 6);
  for (const auto& v : {all[0], all[1]}) EXPECT_EQ(store_->stat(v.key)->size_bytes, v.size_bytes);
}

// Cleanup goes by age; a blob that gets its row now must not look old.
TEST_F(ImportTest, AnOldBlobWithoutARowIsWrittenAnew) {
  import({shared_clips->path()});
  const auto key = videos()[0].key;
  const auto file = store_->local_path(key);
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(48));
  const auto old = store_->stat(key)->modified;
  catalog_ = catalog::open((home_.path() / "another.db").string());
  EXPECT_EQ(import({shared_clips->path()}).added, 6);
  EXPECT_GT(store_->stat(key)->modified, old + 24 * 3600);
}

TEST_F(ImportTest, WhatIsSaidWithoutAVideoBecomesAPostAndItsVideoMayFollow) {
  write("meta/manifest.jsonl", R"({"id": "7", "site": "tiktok", "caption": "so #Cute", "author": "Ann"})"
                               "\n"
                               R"({"id": "8", "hashtags": ["x"]})"
                               "\n"
                               R"({"id": "8", "hashtags": ["y"]})"
                               "\n");
  write("infos/a.info.json", R"({"id": "9", "extractor": "TikTok", "uploader": "Ann", "description": "#dogs"})");
  auto report = import({home_.path() / "meta", home_.path() / "infos"});
  EXPECT_EQ(report.added, 3);
  EXPECT_EQ(report.metadata_only, 3);
  EXPECT_EQ(report.duplicate, 1);
  EXPECT_TRUE(report.rejected.empty());
  EXPECT_THAT(to_json(report), HasSubstr("\"metadata_only\":3"));
  EXPECT_EQ(catalog_->videos.count({}), 0);
  const auto post = catalog_->posts.get("tiktok", "7");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->outcome, "metadata_only");
  EXPECT_EQ(post->hashtags, std::vector<std::string>{"cute"});
  EXPECT_EQ(post->author.size(), 64U);
  EXPECT_EQ(post->author, catalog_->posts.get("tiktok", "9")->author);
  EXPECT_EQ(catalog_->posts.get("import", "8")->hashtags, std::vector<std::string>{"x"});
  EXPECT_EQ(import({home_.path() / "meta", home_.path() / "infos"}).duplicate, 4);
  write("bad/manifest.jsonl",
        "{\"id\": \"20\", \"caption\": \"x\"}\n{\"id\": \"21\", \"caption\": \"x\", \"site\": \"\"}\n");
  write("bad/odd.info.json", R"({"id": "22", "extractor": "TikTok", "description": "a\u0000b"})");
  report = import({home_.path() / "bad", home_.path() / "bad/odd.info.json"});
  EXPECT_EQ(report.metadata_only, 2);
  ASSERT_EQ(report.rejected.size(), 1U);
  EXPECT_THAT(report.rejected[0].path, HasSubstr("odd.info.json"));
  // The video arrives later and is not counted as metadata-only again.
  fs::copy_file(shared_clips->path() / planned()[0].file, home_.path() / "infos/a.mp4");
  EXPECT_EQ(import({home_.path() / "infos"}).metadata_only, 0);
  EXPECT_EQ(catalog_->posts.get("tiktok", "9")->video, videos().at(0).id);
  fs::remove(home_.path() / "infos/a.mp4");
  EXPECT_EQ(import({home_.path() / "infos"}).duplicate, 1);
  EXPECT_EQ(catalog_->posts.get("tiktok", "9")->video, videos().at(0).id);
}

}  // namespace
}  // namespace reeltag::collect

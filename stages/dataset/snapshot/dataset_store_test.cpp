#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "snapshot/format.hpp"
#include "test_catalog.hpp"

namespace reeltag::dataset {
namespace {

using nlohmann::json;

class DatasetStore : public testing::Test {
 protected:
  DatasetStore() {
    t_.add_forty();
    set_ = freeze(*t_.catalog, *t_.store, {.min_support = 5}, t_.root());
    folder_ = t_.root() / set_.id;
  }
  static std::string text(const std::filesystem::path& path) { return *read_file(path, 1 << 24); }
  void overwrite(const char* name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }
  Code load_fails_with() {
    try {
      load(t_.root(), set_.id);
    } catch (const Exception& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(set_.id));
      return e.code();
    }
    ADD_FAILURE() << "loaded";
    return Code::internal;
  }
  // A folder with changed content and a matching id: errors that the hash cannot detect.
  std::string forge(const std::function<void(Dataset&)>& change) {
    Dataset forged = set_;
    change(forged);
    const auto files = encode(forged, 1);
    std::filesystem::create_directories(t_.root() / files.id);
    write_file(t_.root() / files.id / "dataset.json", files.dataset_json);
    write_file(t_.root() / files.id / "videos.jsonl", files.videos_jsonl);
    return files.id;
  }
  TestCatalog t_;
  Dataset set_;
  std::filesystem::path folder_;
};

TEST_F(DatasetStore, LoadGivesWhatWasFrozen) {
  const auto same = load(t_.root(), set_.id);
  EXPECT_EQ(to_json(same), to_json(set_));
  ASSERT_EQ(same.items.size(), set_.items.size());
  for (std::size_t i = 0; i < same.items.size(); ++i) {
    EXPECT_EQ(same.items[i].video, set_.items[i].video);
    EXPECT_EQ(same.items[i].labels, set_.items[i].labels);
    EXPECT_EQ(same.items[i].split, set_.items[i].split);
  }
  EXPECT_EQ(load(t_.root(), set_.id.substr(0, 6)).id, set_.id);
  EXPECT_EQ(load(t_.root(), "").id, set_.id);
  EXPECT_THROW(load(t_.root(), "ffffffffffffffff"), Exception);
  EXPECT_THROW(load(t_.root(), "../" + set_.id), Exception);
  EXPECT_THROW(load(t_.root() / "none", ""), Exception);
}

TEST_F(DatasetStore, AChangedByteIsCorrupt) {
  const auto videos = text(folder_ / "videos.jsonl"), head = text(folder_ / "dataset.json");
  auto changed = videos;
  changed[changed.find("caption of") + 3] = 'X';
  overwrite("videos.jsonl", changed);
  EXPECT_EQ(load_fails_with(), Code::corrupt);
  overwrite("videos.jsonl", videos.substr(0, videos.size() / 2));
  EXPECT_EQ(load_fails_with(), Code::corrupt);
  overwrite("videos.jsonl", videos);
  EXPECT_NO_THROW(load(t_.root(), set_.id));
  auto json_head = json::parse(head);
  json_head["content"]["vocabulary"][0] = "renamed";
  overwrite("dataset.json", json_head.dump());
  EXPECT_EQ(load_fails_with(), Code::corrupt);
  for (const auto* bad : {"", "[]", "{\"format\": 1}", "{\"format\": \"1\"}", "not json"}) {
    overwrite("dataset.json", bad);
    EXPECT_EQ(load_fails_with(), Code::corrupt) << bad;
  }
}

TEST_F(DatasetStore, ANewerFormatIsNotGuessedAt) {
  auto head = json::parse(text(folder_ / "dataset.json"));
  head["format"] = kFormat + 1;
  overwrite("dataset.json", head.dump());
  EXPECT_EQ(load_fails_with(), Code::unsupported);
}

TEST_F(DatasetStore, LabelsAreCheckedAgainstTheVocabulary) {
  const std::vector<std::function<void(Dataset&)>> changes{
      [](Dataset& d) { d.items[0].labels = {99}; }, [](Dataset& d) { d.items[0].labels = {-1}; },
      [](Dataset& d) { d.items[0].labels = {1, 1}; },
      [](Dataset& d) { d.label_mode = LabelMode::single; },  // videos with two labels
      [](Dataset& d) { d.vocabulary[1] = d.vocabulary[0]; }};
  for (const auto& change : changes) {
    // Counting needs labels in range, so the forged set is encoded as it is.
    const auto id = forge(change);
    try {
      load(t_.root(), id);
      ADD_FAILURE() << "loaded";
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::corrupt) << e.what();
    }
  }
}

TEST_F(DatasetStore, ListShowsWhatCanBeReadAndSaysWhatCannot) {
  const auto second = freeze(*t_.catalog, *t_.store, {.labels = "single", .min_support = 5}, t_.root());
  auto head = json::parse(text(folder_ / "dataset.json"));
  head["created"] = 5;  // not covered by the id
  overwrite("dataset.json", head.dump());
  std::filesystem::create_directory(t_.root() / "0123456789abcdef");
  std::filesystem::create_directory(t_.root() / "notes");
  const auto all = list(t_.root());
  ASSERT_EQ(all.size(), 3U);
  ASSERT_TRUE(all[0].has_value());
  EXPECT_EQ(all[0]->id, second.id);
  EXPECT_EQ(all[0]->label_mode, LabelMode::single);
  ASSERT_TRUE(all[1].has_value());
  EXPECT_EQ(all[1]->id, set_.id);
  EXPECT_EQ(all[1]->videos[0] + all[1]->videos[1] + all[1]->videos[2], 40);
  EXPECT_EQ(all[1]->hashtags, 3);
  EXPECT_FALSE(all[2].has_value());
  EXPECT_TRUE(list(t_.root() / "none").empty());
}

TEST_F(DatasetStore, NothingHalfWrittenStaysInTheRoot) {
  freeze(*t_.catalog, *t_.store, {.min_support = 5}, t_.root());
  for (const auto& entry : std::filesystem::directory_iterator(t_.root())) {
    EXPECT_EQ(entry.path().filename(), set_.id);
  }
}

}  // namespace
}  // namespace reeltag::dataset

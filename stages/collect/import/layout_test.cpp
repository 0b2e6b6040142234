// How folders are understood: splits, wrappers, manifests in folders, and what is passed over.
#include <gmock/gmock.h>

#include <fstream>

#include "import/manifest.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class LayoutTest : public testing::Test {
 protected:
  void add(const std::string& name, const std::string& text = "x") {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  // "source/label/file" of each entry; '-' for none.
  std::vector<std::string> listed(LabelsFrom labels_from = LabelsFrom::automatic) {
    list_ = list_path(root_, {.labels_from = labels_from});
    std::vector<std::string> out;
    for (const auto& entry : list_.entries) {
      if (!entry.candidate) {
        out.push_back("rejected: " + entry.candidate.error().message);
        continue;
      }
      const auto& c = *entry.candidate;
      out.push_back((c.source.empty() ? "-" : c.source) + "/" + (c.hashtags.empty() ? "-" : c.hashtags.front()) + "/" +
                    c.file.filename().string());
    }
    return out;
  }
  std::vector<std::string> passed_over() const {
    std::vector<std::string> names;
    for (const auto& path : list_.passed_over) names.push_back(fs::path(path).filename().string());
    return names;
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "set";
  ImportList list_;
};

TEST_F(LayoutTest, TrainAndValAreSourcesAndTheClassIsTheLabel) {
  for (const auto* name : {"train/cat/1.mp4", "train/dog/2.mp4", "val/cat/3.mp4", "test/dog/4.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "train/dog/2.mp4", "val/cat/3.mp4", "test/dog/4.mp4"));
  EXPECT_THAT(list_.notes, Contains(HasSubstr("2 classes from sub-folders of test, train, val: cat, dog")));
  EXPECT_THAT(list_.notes, Contains(HasSubstr("--labels-from")));
  EXPECT_THAT(listed(LabelsFrom::top), Contains("-/train/1.mp4"));
  EXPECT_THAT(listed(LabelsFrom::parent), Contains("-/cat/1.mp4"));
  EXPECT_THAT(listed(LabelsFrom::none), Contains("-/-/1.mp4"));
}

TEST_F(LayoutTest, AVideoBesideSplitsIsReadToo) {
  for (const auto* name : {"train/cat/1.mp4", "val/cat/2.mp4", "loose.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "val/cat/2.mp4", "-/-/loose.mp4"));
}

TEST_F(LayoutTest, OtherNamesOfSplits) {
  for (const auto* name : {"Training/cat/1.mp4", "validation/cat/3.mp4", "TESTING/dog/4.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "val/cat/3.mp4", "test/dog/4.mp4"));
}

TEST_F(LayoutTest, AHashtagMayBeCalledTraining) {
  for (const auto* name : {"training/1.mp4", "gym/2.mp4", "test/3.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("-/training/1.mp4", "-/gym/2.mp4", "-/test/3.mp4"));
  fs::remove_all(root_);
  add("training/1.mp4");
  EXPECT_THAT(listed(), ElementsAre("-/training/1.mp4"));
}

TEST_F(LayoutTest, AFolderThatWrapsASetIsLookedThrough) {
  for (const auto* name : {"download/ucf/cat/1.mp4", "download/ucf/dog/2.mp4", "__MACOSX/x/._1.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("-/cat/1.mp4", "-/dog/2.mp4"));
  EXPECT_THAT(listed(LabelsFrom::top), Contains("-/download/1.mp4"));
  fs::remove_all(root_);
  for (const auto* name : {"v1/train/cat/1.mp4", "v1/val/cat/2.mp4"}) add(name);
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "val/cat/2.mp4"));
  fs::remove_all(root_);
  add("cat/1.mp4");  // one class, no wrapper
  EXPECT_THAT(listed(), ElementsAre("-/cat/1.mp4"));
}

TEST_F(LayoutTest, TablesBesideVideosAreRead) {
  for (const auto* name : {"manifest.csv", "Manifest.CSV", "manifest.tsv", "metadata.csv"}) {
    fs::remove_all(root_);
    add("1.mp4");
    add("2.mp4");
    const bool tab = std::string_view(name).ends_with("tsv");
    add(name, tab ? "file\tlabel\n1.mp4\tcat\n" : "file_name,label\n1.mp4,cat\n");
    EXPECT_THAT(listed(), ElementsAre("-/cat/1.mp4")) << name;
    EXPECT_THAT(passed_over(), ElementsAre("2.mp4")) << name;
  }
}

TEST_F(LayoutTest, HuggingFaceMetadataLiesInTheSplits) {
  add("train/1.mp4");
  add("train/metadata.csv", "file_name,label\n1.mp4,cat\n");
  add("test/2.mp4");
  add("test/metadata.jsonl", R"({"file_name": "2.mp4", "label": "dog"})"
                             "\n");
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "test/dog/2.mp4"));
}

TEST_F(LayoutTest, ListsOfAPySlowFastSetAreItsSplits) {
  add("v/1.mp4");
  add("v/2.mp4");
  add("train.csv", "v/1.mp4 0\n");
  add("val.csv", "v/2.mp4 1\n");
  add("classnames.txt", "cat\ndog\n");
  EXPECT_THAT(listed(), UnorderedElementsAre("train/cat/1.mp4", "val/dog/2.mp4"));
  EXPECT_THAT(passed_over(), IsEmpty());
}

TEST_F(LayoutTest, FilesOfSystemsAreNotListedAndCompanionsAreCounted) {
  for (const auto* name : {"a/1.mp4", "a/._1.mp4", "a/.DS_Store", "a/Thumbs.db", "a/2.wmv", "a/2.jpg", "a/3.gif"})
    add(name);
  add("a/2.info.json", R"({"id": "7", "description": "old film #old"})");
  EXPECT_THAT(listed(), UnorderedElementsAre("-/a/1.mp4", "-/a/2.wmv", "-/a/3.gif"));
  EXPECT_THAT(passed_over(), ElementsAre("2.jpg"));
}

}  // namespace
}  // namespace reeltag::collect

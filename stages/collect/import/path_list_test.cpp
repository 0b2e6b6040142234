#include "import/path_list.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class PathListTest : public testing::Test {
 protected:
  fs::path add(const std::string& name, const std::string& text) {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
    return folder_.path() / name;
  }
  // "file:hashtag" of each entry, "file:-" without one.
  std::vector<std::string> listed(const fs::path& list) {
    read_ = read_manifest(list);
    std::vector<std::string> out;
    for (const auto& entry : read_.entries) {
      if (!entry.candidate) {
        out.push_back("rejected");
        continue;
      }
      const auto& c = *entry.candidate;
      out.push_back(c.file.lexically_relative(folder_.path()).string() + ":" +
                    (c.hashtags.empty() ? "-" : c.hashtags.front()));
    }
    return out;
  }
  TemporaryFolder folder_;
  ImportList read_;
};

TEST_F(PathListTest, PathAndLabelAreSeparatedBySpaceCommaOrTab) {
  EXPECT_THAT(listed(add("a.csv", "v/1.mp4 cat\nv/2.mp4 dog\n")), ElementsAre("v/1.mp4:cat", "v/2.mp4:dog"));
  EXPECT_THAT(listed(add("b.csv", "v/1.mp4,cat\r\n\"v/my 2.mp4\",hot dog\r\n")),
              ElementsAre("v/1.mp4:cat", "v/my 2.mp4:hot dog"));
  EXPECT_THAT(listed(add("c.txt", "v/my 1.avi\tcat\n\nv/2.AVI\tdog\nnonsense\nv/3.mkv\n")),
              ElementsAre("v/my 1.avi:cat", "v/2.AVI:dog", "rejected", "v/3.mkv:-"));
}

TEST_F(PathListTest, NumbersAreNamedByTheFileBesideIt) {
  const auto list = add("train.csv", "v/1.mp4 1\nv/2.mp4 0\n");
  EXPECT_THAT(listed(list), ElementsAre("v/1.mp4:1", "v/2.mp4:0"));
  EXPECT_THAT(read_.notes.at(0), HasSubstr("they stay numbers"));
  EXPECT_EQ(read_.entries[0].candidate->source, "train");
  add("classnames.txt",
      "\xEF\xBB\xBF"
      "Cat\r\nHot Dog\r\n");
  EXPECT_THAT(listed(list), ElementsAre("v/1.mp4:hot dog", "v/2.mp4:cat"));
  EXPECT_THAT(read_.notes, ElementsAre(HasSubstr("classnames.txt")));
  fs::remove(folder_.path() / "classnames.txt");
  add("classInd.txt", "1 ApplyEyeMakeup\n2 Archery\n");
  EXPECT_THAT(listed(list), ElementsAre("v/1.mp4:applyeyemakeup", "v/2.mp4:0"));
  fs::remove(folder_.path() / "classInd.txt");
  add("classnames.json", R"({"cat": 0, "dog": 1})");
  EXPECT_THAT(listed(list), ElementsAre("v/1.mp4:dog", "v/2.mp4:cat"));
  add("classnames.json", R"(["bird", "fish"])");
  EXPECT_THAT(listed(list), ElementsAre("v/1.mp4:fish", "v/2.mp4:bird"));
}

TEST_F(PathListTest, PathsStayInTheListsFolderUnlessAllowed) {
  TemporaryFolder elsewhere;
  const auto outside = (fs::canonical(elsewhere.path()) / "x.mp4").string();
  const auto inner = (fs::canonical(folder_.path()) / "v/1.mp4").string();
  const auto list = add("val.txt", outside + " cat\n../up.mp4 cat\n" + inner + " dog\n");
  EXPECT_THAT(listed(list), ElementsAre("rejected", "rejected", testing::EndsWith("v/1.mp4:dog")));
  EXPECT_THAT(read_.entries[0].candidate.error().message, HasSubstr("--allow-paths"));
  const auto allowed = read_manifest(list, {.allowed = {elsewhere.path()}});
  ASSERT_TRUE(allowed.entries[0].candidate);
  EXPECT_EQ(allowed.entries[0].candidate->file, outside);
  EXPECT_FALSE(allowed.entries[1].candidate);
}

}  // namespace
}  // namespace reeltag::collect

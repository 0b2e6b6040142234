#include "import/info_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kInfo = R"({"id": "7300000000000000001", "title": "cut off", "uploader": "alice",
  "uploader_id": "66", "description": "My #Cats are #fun", "timestamp": 1700000000, "view_count": 5,
  "like_count": null, "extractor": "TikTok", "tags": null, "webpage_url": "https://www.tiktok.com/@alice/video/7"})";

class InfoJson : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text = "x") {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  std::vector<std::string> listed(const std::string& below = "") {
    std::vector<std::string> names;
    for (const auto& entry : list_path(folder_.path() / below).entries) {
      names.push_back(fs::path(entry.path).filename().string() + (entry.candidate ? "" : " rejected"));
    }
    return names;
  }
  Result<Candidate> only(const std::string& path) {
    auto entries = list_path(folder_.path() / path).entries;
    EXPECT_EQ(entries.size(), 1U);
    return entries.at(0).candidate;
  }

  TemporaryFolder folder_;
};

TEST_F(InfoJson, SaysWhatTheVideoIs) {
  write("a.mp4");
  write("a.info.json", kInfo);
  for (const char* path : {"", "a.mp4", "a.info.json"}) {
    const auto c = only(path);
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->file.filename(), "a.mp4");
    EXPECT_EQ(c->source_id, "7300000000000000001");
    EXPECT_EQ(c->site, "tiktok");
    EXPECT_EQ(c->author, "alice");
    EXPECT_TRUE(c->group_by_author);
    EXPECT_EQ(c->caption, "My #Cats are #fun");
    EXPECT_THAT(c->hashtags, ElementsAre("cats", "fun"));
    EXPECT_EQ(c->created, 1'700'000'000);
    EXPECT_THAT(c->attributes, HasSubstr(R"("view_count":5)"));
    EXPECT_THAT(c->attributes, testing::Not(HasSubstr("alice")));
  }
}

TEST_F(InfoJson, ALabelFoldersHashtagComesFirst) {
  write("pets/a.mp4");
  write("pets/a.info.json", kInfo);
  EXPECT_THAT(only("")->hashtags, ElementsAre("pets", "cats", "fun"));
}

TEST_F(InfoJson, WhatElseWasWrittenUnderTheNameIsPassedOver) {
  write("x/a.b.mp4");
  write("x/a.b.info.json", kInfo);
  for (const char* other : {"a.b.jpg", "a.b.en.vtt", "a.b.description", "a.b.mp4.ytdl"})
    write(std::string("x/") + other);
  write("x/a.webm");
  write("x/a.info.json", R"({"id": 5})");
  write("x/list.info.json", R"({"_type": "playlist", "id": "l"})");
  write("x/lost.info.json", kInfo);
  write("x/lost.mp4.part");
  write("x/notes.txt");
  EXPECT_THAT(listed(), ElementsAre("a.b.mp4", "a.webm", "lost.info.json", "notes.txt"));
}

TEST_F(InfoJson, AFileThatSaysNothingCostsItsVideoOnly) {
  write("good.mp4");
  for (const auto& [name, text] :
       {std::pair{"list", "[1]"}, {"none", "{}"}, {"broken", "{\"id\": "}, {"odd", "{\"id\": [1]}"}}) {
    write(std::string(name) + ".mp4");
    write(std::string(name) + ".info.json", text);
  }
  EXPECT_THAT(listed(), ElementsAre("broken.mp4 rejected", "good.mp4", "list.mp4 rejected", "none.mp4 rejected",
                                    "odd.mp4 rejected"));
  write("float.mp4");
  write("float.info.json", R"({"id": 7300000000000000001, "timestamp": 1700000000.5, "uploader_id": "u"})");
  const auto c = only("float.mp4");
  EXPECT_EQ(c->source_id, "7300000000000000001");
  EXPECT_EQ(c->created, 1'700'000'000);
  EXPECT_EQ(c->author, "u");
}

TEST_F(InfoJson, ADateStandsInForATimeAndAVideosIdIsNoAuthor) {
  write("a.mp4");
  write("a.info.json", R"({"id": "7", "uploader_id": "7", "upload_date": "20240102"})");
  EXPECT_EQ(only("a.mp4")->created, 1'704'153'600);
  EXPECT_EQ(only("a.mp4")->author, "");
  write("a.info.json", R"({"id": "7", "upload_date": "20240230"})");
  EXPECT_EQ(only("a.mp4")->created, std::nullopt);
}

}  // namespace
}  // namespace reeltag::collect

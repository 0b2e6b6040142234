#include "import/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "crawl/authors.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class ManifestTest : public testing::Test {
 protected:
  std::filesystem::path add(const std::string& name, const std::string& text) {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  TemporaryFolder folder_;
};

TEST_F(ManifestTest, ReadsEveryFieldAndKeepsTheRestAsAttributes) {
  const auto path =
      add("manifest.jsonl",
          R"({"id": 17, "file": "a/b.mp4", "group": "g", "hashtags": ["#Cat", "cat", "Fun "], "caption": "A cat",)"
          R"( "author": "Ann", "created": 1700000000, "category": "pets", "likes": 3})"
          "\n");
  const auto entries = read_manifest(path).entries;
  ASSERT_EQ(entries.size(), 1U);
  ASSERT_TRUE(entries[0].candidate.has_value()) << entries[0].candidate.error().message;
  const auto& c = *entries[0].candidate;
  EXPECT_EQ(c.file, folder_.path() / "a/b.mp4");
  EXPECT_EQ(c.source_id, "17");
  EXPECT_EQ(c.group, "g");
  EXPECT_THAT(c.hashtags, ElementsAre("cat", "fun"));
  EXPECT_EQ(c.caption, "A cat");
  EXPECT_EQ(c.author, "Ann");
  EXPECT_EQ(c.created, 1700000000);
  EXPECT_EQ(json::parse(c.attributes), (json{{"category", "pets"}, {"likes", 3}}));
}

TEST_F(ManifestTest, ABadLineIsAnEntryWithItsLineNumberAndTheOthersAreRead) {
  const auto path = add("m.jsonl",
                        "{\"file\": \"a.mp4\"}\n"
                        "{\"file\": \n"
                        "\n"
                        "[1]\n"
                        "{\"id\": \"x\"}\n"
                        "{\"file\": \"b.mp4\", \"hashtags\": [1]}\n"
                        "{\"file\": \"c.mp4\", \"caption\": 1.5}\n"
                        "{\"file\": \"c.mp4\", \"caption\": \"nul \\u0000\"}\n"
                        "{\"file\": \"d.mp4\"}\n");
  const auto entries = read_manifest(path).entries;
  ASSERT_EQ(entries.size(), 8U);
  EXPECT_TRUE(entries[0].candidate.has_value());
  EXPECT_TRUE(entries[7].candidate.has_value());
  const char* lines[] = {"m.jsonl:2", "m.jsonl:4", "m.jsonl:5", "m.jsonl:6", "m.jsonl:7", "m.jsonl:8"};
  for (std::size_t i = 0; i < 6; ++i) {
    ASSERT_FALSE(entries[i + 1].candidate.has_value()) << i;
    EXPECT_EQ(entries[i + 1].candidate.error().code, Code::invalid_argument);
    EXPECT_THAT(entries[i + 1].candidate.error().message, HasSubstr(lines[i]));
  }
}

TEST_F(ManifestTest, PathsMustStayInsideTheFolder) {
  add("clips/a.mp4", "x");
  const auto base = folder_.path() / "clips";
  add("secret.mp4", "x");
  std::filesystem::create_symlink(folder_.path() / "secret.mp4", base / "link.mp4");
  std::filesystem::create_directory_symlink(folder_.path(), base / "up");
  for (const auto* bad :
       {"../secret.mp4", "x/../../secret.mp4", "/etc/passwd", "link.mp4", "up/secret.mp4", "..", ""}) {
    const auto path = inside(base, bad);
    ASSERT_FALSE(path.has_value()) << bad;
    EXPECT_EQ(path.error().code, Code::permission_denied) << bad;
  }
  EXPECT_TRUE(inside(base, "a.mp4").has_value());
  EXPECT_TRUE(inside(base, "x/../a.mp4").has_value());
  EXPECT_TRUE(inside(base, "not-there.mp4").has_value());  // reported later, when the file is opened
  EXPECT_TRUE(inside(base, "..a.mp4").has_value());
}

TEST_F(ManifestTest, CsvRowsAreReadByTheirHeadLine) {
  const auto path = add("m.csv",
                        "hashtags,file,caption,likes,created\n"
                        "#Cat fun,a.mp4,\"A cat, twice\",7,1700000000\n"
                        "dog,b.mp4\n"
                        "dog,c.mp4,,,\n"
                        "dog,d.mp4,\xff\xfe,,\n");
  const auto entries = read_manifest(path).entries;
  ASSERT_EQ(entries.size(), 4U);
  ASSERT_TRUE(entries[0].candidate.has_value()) << entries[0].candidate.error().message;
  EXPECT_THAT(entries[0].candidate->hashtags, ElementsAre("cat", "fun"));
  EXPECT_EQ(entries[0].candidate->caption, "A cat, twice");
  EXPECT_EQ(entries[0].candidate->created, 1700000000);
  EXPECT_EQ(json::parse(entries[0].candidate->attributes), (json{{"likes", "7"}}));
  ASSERT_FALSE(entries[1].candidate.has_value());
  EXPECT_THAT(entries[1].candidate.error().message, HasSubstr("m.csv:3"));
  ASSERT_TRUE(entries[2].candidate.has_value());
  EXPECT_EQ(entries[2].candidate->created, std::nullopt);
  EXPECT_FALSE(entries[3].candidate.has_value());
  EXPECT_THROW(read_manifest(add("no_file.csv", "name,hashtags\na.mp4,x\n")), Exception);
}

TEST_F(ManifestTest, RowsWithoutAFileDescribeAPost) {
  add("a.mp4", "x");
  const auto path = add("m.jsonl", R"({"id": 7, "caption": "so #Cute", "author": "Ann", "site": "tiktok", "likes": 3})"
                                   "\n"
                                   R"({"id": "8", "text": "#x", "hashtags": [], "created": "2025-05-19 15:45:53"})"
                                   "\n"
                                   R"({"id": "9", "file": "gone.mp4", "caption": "x", "missing": true})"
                                   "\n"
                                   R"({"id": "10", "file": "a.mp4", "caption": "#x", "missing": true})"
                                   "\n"
                                   R"({"id": "11", "file": "gone.mp4", "caption": "x", "missing": false})"
                                   "\n"
                                   R"({"file": "", "caption": "x"})"
                                   "\n");
  const auto entries = read_manifest(path).entries;
  ASSERT_EQ(entries.size(), 6U);
  for (std::size_t i = 0; i < 5; ++i) ASSERT_TRUE(entries[i].candidate.has_value()) << i;
  const auto& c = *entries[0].candidate;
  EXPECT_TRUE(c.file.empty());
  EXPECT_EQ(c.source_id, "7");
  EXPECT_EQ(c.site, "tiktok");
  EXPECT_THAT(c.hashtags, ElementsAre("cute"));
  EXPECT_EQ(json::parse(c.attributes), (json{{"likes", 3}}));
  EXPECT_EQ(entries[1].candidate->caption, "#x");
  EXPECT_TRUE(entries[1].candidate->hashtags.empty());
  EXPECT_EQ(entries[1].candidate->created, 1'747'669'553);
  EXPECT_EQ(entries[1].candidate->attributes, "{}");
  EXPECT_TRUE(entries[2].candidate->file.empty());
  EXPECT_EQ(entries[3].candidate->file, folder_.path() / "a.mp4");
  EXPECT_TRUE(entries[3].candidate->hashtags.empty());                 // for a file only the field `hashtags` counts
  EXPECT_EQ(entries[4].candidate->file, folder_.path() / "gone.mp4");  // rejected when it is opened
  EXPECT_FALSE(entries[5].candidate.has_value());
  const auto rows =
      read_manifest(add("m.csv", "id,hashtags,file,missing\n1,a b,,\n2,c,gone.mp4,yes\n3,c,gone.mp4,\n")).entries;
  EXPECT_TRUE(rows[0].candidate->file.empty());
  EXPECT_TRUE(rows[1].candidate->file.empty());
  EXPECT_FALSE(rows[2].candidate->file.empty());
  EXPECT_EQ(read_manifest(add("d.csv", "id,text\n1,#a #b\n")).entries[0].candidate->hashtags.size(), 2U);
}

TEST_F(ManifestTest, ADateThatCannotBeReadCostsTheDateOnly) {
  const auto list = read_manifest(
      add("m.csv", "file,label,created\na.mp4,x,2025-05-19T15:45:53.000Z\nb.mp4,x,1747669553000\nc.mp4,x,yesterday\n"));
  ASSERT_EQ(list.entries.size(), 3U);
  EXPECT_EQ(list.entries[0].candidate->created, 1'747'669'553);
  EXPECT_EQ(list.entries[1].candidate->created, 1'747'669'553);
  EXPECT_EQ(list.entries[2].candidate->created, std::nullopt);
  EXPECT_THAT(list.notes, ElementsAre(HasSubstr("1 dates could not be read and are left out, the first: 'yesterday'")));
}

TEST_F(ManifestTest, ColumnsAreKnownByTheUsualNames) {
  for (const auto* head : {"file,label", "File Name,Labels", "file_name,class", "PATH,Category", "filepath,tags",
                           "video_path,hashtag", "filename,Tag", "video,class_name"}) {
    const auto list = read_manifest(add("m.csv", std::string(head) + "\na.mp4,cat\n"));
    ASSERT_TRUE(list.entries[0].candidate) << head;
    EXPECT_EQ(list.entries[0].candidate->file, folder_.path() / "a.mp4") << head;
    EXPECT_THAT(list.entries[0].candidate->hashtags, ElementsAre("cat")) << head;
    EXPECT_EQ(list.entries[0].candidate->attributes, "{}") << head;
  }
  const auto none = read_manifest(add("m.csv", "file,mood,likes\na.mp4,happy,3\n"));
  EXPECT_THAT(none.notes, ElementsAre(HasSubstr("no row has a hashtag; its columns are file, mood, likes")));
}

TEST_F(ManifestTest, SeparatorsAndEncodingsOfSpreadsheets) {
  const auto utf16 = [](std::string_view text, bool big) {
    std::string out = big ? "\xFE\xFF" : "\xFF\xFE";
    for (const char c : text) (out += big ? '\0' : c) += big ? c : '\0';
    return out;
  };
  const std::string semicolons = "file;label\r\na.mp4;hot dog\r\n", tabs = "file\tlabel\na.mp4\thot dog\n";
  for (const auto& [name, text] :
       std::vector<std::pair<std::string, std::string>>{{"a.csv", semicolons},
                                                        {"b.CSV", tabs},
                                                        {"c.tsv", tabs},
                                                        {"d.TSV", tabs},
                                                        {"e.txt", tabs},
                                                        {"f.csv", "\xEF\xBB\xBF" + semicolons},
                                                        {"g.csv", utf16(semicolons, false)},
                                                        {"h.tsv", utf16(tabs, true)},
                                                        {"i.csv", "file,label\ra.mp4,hot dog\r"},
                                                        {"j.csv", utf16(tabs, false).substr(2)}}) {
    const auto list = read_manifest(add(name, text));
    ASSERT_EQ(list.entries.size(), 1U) << name;
    ASSERT_TRUE(list.entries[0].candidate) << name;
    EXPECT_THAT(list.entries[0].candidate->hashtags, ElementsAre("hot dog")) << name;
  }
  EXPECT_THROW(read_manifest(add("cut.csv", utf16(semicolons, false) + "x")), Exception);
}

TEST_F(ManifestTest, ASplitColumnIsTheSource) {
  const auto list =
      read_manifest(add("m.csv", "file,label,split\na.mp4,x,training\nb.mp4,x,Validation\nc.mp4,x,test\nd.mp4,x,\n"));
  std::vector<std::string> sources;
  for (const auto& entry : list.entries) sources.push_back(entry.candidate->source);
  EXPECT_THAT(sources, ElementsAre("train", "val", "test", ""));
}

TEST_F(ManifestTest, EmptyManifestsFoldersAndPathsThrow) {
  EXPECT_THROW(read_manifest(add("empty.jsonl", "\n\n")), Exception);
  EXPECT_THROW(list_path(""), Exception);
  EXPECT_THROW(list_path(folder_.path() / "nowhere"), Exception);
  std::filesystem::create_directory(folder_.path() / "bare");
  EXPECT_THROW(list_path(folder_.path() / "bare"), Exception);
}

TEST_F(ManifestTest, LabelFoldersGiveTheirNameToAllFilesBelow) {
  add("set/Tennis Serve/1.mp4", "x");
  add("set/Tennis Serve/day2/2.mp4", "x");
  add("set/Tennis Serve/.hidden", "x");
  add("set/smash/3.mp4", "x");
  add("set/loose.mp4", "x");
  std::vector<std::string> seen;
  for (const auto& entry : list_path(folder_.path() / "set").entries) {
    const auto& c = *entry.candidate;
    seen.push_back(c.file.filename().string() + ":" + (c.hashtags.empty() ? "-" : c.hashtags[0]));
  }
  EXPECT_THAT(seen,
              testing::UnorderedElementsAre("1.mp4:tennis serve", "2.mp4:tennis serve", "3.mp4:smash", "loose.mp4:-"));
}

TEST_F(ManifestTest, AuthorsAreHashedWithASaltThatOnlyTheUserCanRead) {
  const auto salt = folder_.path() / "home" / "author.salt";
  Authors authors(salt);
  EXPECT_EQ(authors.hash(""), "");
  EXPECT_FALSE(std::filesystem::exists(salt));
  const auto ann = authors.hash("ann");
  EXPECT_EQ(ann.size(), 64U);
  EXPECT_NE(ann, authors.hash("ben"));
  EXPECT_EQ(ann, Authors(salt).hash("ann"));
  EXPECT_NE(ann, Authors(folder_.path() / "other.salt").hash("ann"));
  struct stat info{};
  ASSERT_EQ(stat(salt.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  add("short.salt", "abc");
  EXPECT_THROW(Authors(folder_.path() / "short.salt").hash("ann"), Exception);
}

}  // namespace
}  // namespace reeltag::collect

// Runs the conformance suite on SQLite, and tests failures that only a file can have.
#include "sqlite_index.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "index_conformance.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::index {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SqlitePlace final : public IndexPlace {
 public:
  std::unique_ptr<Index> open() override {
    return index::open((folder_.path() / "index" / "index.db").string(), Missing::create);
  }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Indexes, IndexConformance,
                         testing::Values(IndexFactory{"sqlite", [] { return std::make_unique<SqlitePlace>(); }}),
                         [](const auto& factory) { return factory.param.name; });

class SqliteIndexFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "index.db").string(); }
  Error open_error() {
    return error_of([&] { open(path(), Missing::create); });
  }

  TemporaryFolder folder_;
};

TEST_F(SqliteIndexFile, WordsOfTheFirstFormatAreMadeAnew) {
  {
    const auto index = open(path(), Missing::create);
    const std::vector<Texts> texts{{.video = "a", .caption = "caf\u00E9", .typed = {"\u0130zmir"}}};
    index->put_texts(texts);
    const std::vector<Prediction> predictions{
        {.video = "a", .model = {.name = "m"}, .tags = {{"f\u00FAtbol", 0.9, {}}}}};
    index->put_predictions(predictions);
    sql::SqliteDatabase database(path(), std::chrono::seconds(1));
    database.execute(
        "DELETE FROM text_words; DELETE FROM hashtag_name; "
        "INSERT INTO text_words (rowid, caption, typed) VALUES (1, 'caf\u00E9', 'i\u0307zmir'); "
        "INSERT INTO hashtag_name VALUES ('f\u00FAtbol', 1, 1.0); PRAGMA user_version = 1");
  }
  const auto index = open(path(), Missing::refuse);
  for (const char* query : {"cafe", "izmir", "futbol"}) EXPECT_EQ(index->search(query, 9).size(), 1U) << query;
  EXPECT_EQ(open(path(), Missing::refuse)->search("cafe", 9).size(), 1U);
}

// Covers free pages, merged FTS segments and the journal.
TEST_F(SqliteIndexFile, NothingRemovedCanBeReadFromTheFiles) {
  const auto index = open(path(), Missing::create);
  const auto reader = open(path(), Missing::create);
  for (int i = 0; i < 200; ++i) {
    const auto n = std::to_string(i);
    const Texts row{
        .video = "video-" + n + "-", .caption = "caption" + n + "z of secret" + n + "z", .typed = {"tag" + n + "z"}};
    index->put_texts({&row, 1});
    const Prediction seen{.video = row.video, .model = {.name = "m"}, .tags = {{"seen" + n + "z", 0.5}}};
    index->put_predictions({&seen, 1});
  }
  EXPECT_EQ(reader->search("secret77z", 5).size(), 1U);
  EXPECT_EQ(index->remove([](const std::string& video) { return video == "video-77-"; }), 1);
  std::string bytes;
  for (const auto& entry : fs::directory_iterator(folder_.path())) bytes += *read_file(entry.path(), 1 << 30);
  for (const char* secret : {"video-77-", "caption77z", "secret77z", "tag77z", "seen77z"})
    EXPECT_THAT(bytes, Not(HasSubstr(secret)));
  EXPECT_THAT(bytes, HasSubstr("video-78-"));
  EXPECT_EQ(reader->search("secret78z", 5).size(), 1U);
}

TEST_F(SqliteIndexFile, ASearchDoesNotMakeAnIndex) {
  const auto error = error_of([&] { open(path(), Missing::refuse); });
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_THAT(error.message, AllOf(HasSubstr(path()), HasSubstr("reeltag index build")));
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(SqliteIndexFile, OtherLocationsAreRefused) {
  const auto error = error_of([] { open("postgresql://user:SECRET@host/db", Missing::create); });
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("postgresql://"), Not(HasSubstr("SECRET"))));
  EXPECT_EQ(error_of([] { open("", Missing::create); }).code, Code::invalid_argument);
}

TEST_F(SqliteIndexFile, WhatIsNoIndexIsNamedAndLeftAlone) {
  const std::string text(5000, 'x');
  std::ofstream(path()) << text;
  const auto error = open_error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, AllOf(HasSubstr("index '" + path()), HasSubstr("reeltag index build")));
  EXPECT_EQ(*read_file(path(), 1 << 20), text);
}

TEST_F(SqliteIndexFile, AnotherProgramsDatabaseIsLeftAlone) {
  sql::SqliteDatabase(path(), std::chrono::seconds(1)).execute("CREATE TABLE theirs (x)");
  EXPECT_EQ(open_error().code, Code::invalid_argument);
}

TEST_F(SqliteIndexFile, AnotherFormIsUnsupportedAndSaysWhatToDo) {
  open(path(), Missing::create);
  sql::SqliteDatabase(path(), std::chrono::seconds(1)).execute("PRAGMA user_version = 99");
  const auto error = open_error();
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("99"), HasSubstr("delete it")));
}

TEST_F(SqliteIndexFile, ADamagedIndexIsCorrupt) {
  {
    const auto index = open(path(), Missing::create);
    std::vector<Texts> rows;
    for (int i = 0; i < 3000; ++i) rows.push_back({.video = "v" + std::to_string(i), .caption = "cat", .typed = {}});
    index->put_texts(rows);
  }
  auto bytes = *read_file(path(), 1 << 30);
  ASSERT_GT(bytes.size(), 100'000U);
  std::fill(bytes.begin() + 8192, bytes.end(), '\x5A');
  std::ofstream(path(), std::ios::binary) << bytes;
  const auto error = error_of([&] { open(path(), Missing::refuse)->search("cat", 100); });
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, AllOf(HasSubstr(path()), HasSubstr("delete it")));
}

TEST_F(SqliteIndexFile, WhoeverWritesSearchesGoOn) {
  const auto index = open(path(), Missing::create);
  const Texts row{.video = "a", .caption = "cat", .typed = {}};
  index->put_texts({&row, 1});
  sql::SqliteDatabase other(path(), std::chrono::seconds(1));
  sql::Transaction writing(other);
  other.execute("DELETE FROM video");
  EXPECT_EQ(open(path(), Missing::refuse)->search("cat", 5).size(), 1U);
}

}  // namespace
}  // namespace reeltag::index

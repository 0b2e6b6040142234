// Runs the conformance suite on SQLite, and tests failures specific to a file.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "catalog_conformance.hpp"
#include "child.hpp"
#include "migrations.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/catalog/service.hpp"
#include "reeltag/sql/sqlite.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SqlitePlace final : public CatalogPlace {
 public:
  std::unique_ptr<Catalog> open() override {
    return catalog::open((folder_.path() / "new folder" / "catalog.db").string());
  }

 private:
  TemporaryFolder folder_;
};

std::string name_of(const testing::TestParamInfo<CatalogFactory>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Catalogs, CatalogConformance,
                         testing::Values(CatalogFactory{"sqlite", [] { return std::make_unique<SqlitePlace>(); }}),
                         name_of);

class SqliteFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "catalog.db").string(); }
  // The error of opening the file with a short wait.
  Error open_error() {
    return error_of([&] { open(path(), {.lock_wait = 0.2}); });
  }

  TemporaryFolder folder_;
};

// Includes free pages, the unused ends of pages and the journal.
TEST_F(SqliteFile, NothingForgottenCanBeReadFromTheFiles) {
  const auto reader = open(path());  // its connection keeps the journal file in place
  const auto catalog = open(path());
  for (int i = 1; i <= 300; ++i) {
    auto video = video_of(i, {"tag" + std::to_string(i)});
    video.caption = "caption-" + std::to_string(i) + "-" + std::string(200, 'x');
    video.author = id_of(1000 + i);
    Post post;
    post.site = "tiktok";
    post.id = "post-" + std::to_string(i);
    post.video = video.id;
    catalog->record({.video = video, .post = post, .fingerprint = "finger-" + std::to_string(i)});
  }
  reader->videos.count({});
  catalog->tombstones.forget(Forgettable::video, id_of(77));
  catalog->tombstones.forget(Forgettable::author, id_of(1078));
  catalog->compact();
  std::string bytes;
  for (const auto& entry : fs::directory_iterator(folder_.path())) bytes += *read_file(entry.path(), 1 << 30);
  for (const auto& secret : {id_of(77), id_of(78), id_of(1077), id_of(1078), std::string("post-77"),
                             std::string("caption-78-"), std::string("tag77"), std::string("finger-77")}) {
    EXPECT_THAT(bytes, Not(HasSubstr(secret)));
  }
  EXPECT_THAT(bytes, HasSubstr("caption-79-"));
}

TEST_F(SqliteFile, CompactingWaitsForReadersAndSaysSo) {
  const auto catalog = open(path(), {.lock_wait = 0.2});
  for (int i = 1; i <= 100; ++i) catalog->videos.add(video_of(i));
  const auto reader = open(path());
  bool asked = false;
  reader->videos.each({}, [&](const Video&) {
    if (std::exchange(asked, true)) return;
    EXPECT_EQ(error_of([&] { catalog->compact(); }).code, Code::unavailable);
  });
  EXPECT_NO_THROW(catalog->compact());
}

TEST_F(SqliteFile, LocationsAreAPathOrAUrl) {
  open("sqlite://" + path())->videos.add(video_of(1));
  EXPECT_EQ(open(path())->videos.count({}), 1);
  const auto odd = (folder_.path() / "a?b#c%20 :memory:.db").string();
  open(odd)->videos.add(video_of(1));
  EXPECT_TRUE(fs::exists(odd));
}

TEST_F(SqliteFile, OtherLocationsAreRefused) {
  const auto error = error_of([] { open("mysql://user:SECRET@host/db"); });
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("mysql://"), HasSubstr("postgresql://"), HasSubstr("sqlite:///"),
                                   Not(HasSubstr("SECRET"))));
  for (const std::string bad : {"", "sqlite://", "sqlite://relative.db"}) {
    EXPECT_EQ(error_of([&] { open(bad); }).code, Code::invalid_argument) << bad;
  }
  EXPECT_EQ(error_of([&] { open(folder_.path().string()); }).code, Code::invalid_argument);
  EXPECT_EQ(error_of([&] { open(path(), {.lock_wait = -1}); }).code, Code::invalid_argument);
  std::ofstream(folder_.path() / "file") << "x";
  EXPECT_THAT(error_of([&] { open((folder_.path() / "file" / "c.db").string()); }).message,
              HasSubstr("cannot be made"));
}

TEST_F(SqliteFile, AFileThatIsNoDatabaseIsNamedAndLeftAlone) {
  const std::string text(5000, 'x');
  std::ofstream(path()) << text;
  const auto error = open_error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, AllOf(HasSubstr(path()), HasSubstr("not a database")));
  EXPECT_EQ(*read_file(path(), 1 << 20), text);
}

TEST_F(SqliteFile, ADamagedCatalogIsCorrupt) {
  std::vector<Video> videos;
  for (int i = 0; i < 600; ++i) videos.push_back(video_of(i, {"tag" + std::to_string(i)}));
  open(path())->videos.add_all(videos);
  auto bytes = *read_file(path(), 1 << 30);
  ASSERT_GT(bytes.size(), 100'000U);
  std::fill(bytes.begin() + 8192, bytes.end(), '\x5A');
  std::ofstream(path(), std::ios::binary) << bytes;
  const auto error = error_of([&] {
    const auto catalog = open(path());
    catalog->videos.each({}, [](const Video&) {});
  });
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr(path()));
}

TEST_F(SqliteFile, AReadOnlyFileIsPermissionDenied) {
  open(path())->videos.add(video_of(1));
  fs::permissions(folder_.path(), static_cast<fs::perms>(0755));
  fs::permissions(path(), static_cast<fs::perms>(0444));
  // Tests usually run as root, who ignores file modes.
  const bool root = ::geteuid() == 0;
  ASSERT_TRUE(!root || ::seteuid(65534) == 0);
  const auto error = open_error();
  const auto elsewhere = error_of([&] { open((folder_.path() / "new.db").string()); });
  const auto below = error_of([&] { open((folder_.path() / "sub" / "new.db").string()); });
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  EXPECT_EQ(error.code, Code::permission_denied);
  EXPECT_THAT(error.message, HasSubstr(path()));
  EXPECT_EQ(elsewhere.code, Code::permission_denied);
  EXPECT_EQ(below.code, Code::permission_denied);
}

// A process that holds the write lock until it is killed.
std::unique_ptr<test::Child> locker(const std::string& path, const std::string& begin) {
  auto child = std::make_unique<test::Child>([=](const test::Child::WriteLine& say) {
    sql::SqliteDatabase database(path, 1s);
    if (begin.find("EXCLUSIVE") != std::string::npos) database.execute("PRAGMA locking_mode = EXCLUSIVE");
    database.execute(begin);
    database.execute("CREATE TABLE IF NOT EXISTS held (x)");
    say("locked");
    ::pause();
  });
  EXPECT_EQ(child->read_line(), "locked\n");
  return child;
}

TEST_F(SqliteFile, ALockHeldForLongIsUnavailableAndReadsGoOn) {
  open(path())->videos.add(video_of(1));
  const auto holder = locker(path(), "BEGIN IMMEDIATE");
  // Opening what needs no migration, and reading, do not wait for a writer.
  const auto catalog = open(path(), {.lock_wait = 0.2});
  EXPECT_EQ(catalog->videos.count({}), 1);
  const auto start = std::chrono::steady_clock::now();
  const auto error = error_of([&] { catalog->videos.add(video_of(2)); });
  EXPECT_GE(std::chrono::steady_clock::now() - start, 150ms);
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(HasSubstr(path()), HasSubstr("another process")));
  holder->kill();
  EXPECT_EQ(catalog->videos.add(video_of(2)), AddOutcome::added);
  EXPECT_EQ(catalog->videos.count({}), 2);
}

TEST_F(SqliteFile, AnExclusiveLockIsUnavailableAtOpen) {
  open(path());
  const auto holder = locker(path(), "BEGIN EXCLUSIVE");
  EXPECT_EQ(open_error().code, Code::unavailable);
}

TEST_F(SqliteFile, AFullDiskChangesNothing) {
  const auto catalog = open(path());
  catalog->videos.add(video_of(1));
  std::vector<Video> many;
  for (int i = 2; i < 1000; ++i) many.push_back(video_of(i, {"new"}));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{128 << 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto error = error_of([&] { catalog->videos.add_all(many); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, HasSubstr("nothing was changed"));
  EXPECT_EQ(catalog->videos.count({}), 1);
  EXPECT_EQ(catalog->videos.add_all(many).size(), many.size());
  EXPECT_EQ(open(path())->videos.count({.source = {}, .hashtag = "new"}), 998);
}

TEST_F(SqliteFile, HashtagsThatWereFoldedBeforeMigrationSevenAreMerged) {
  {
    sql::SqliteDatabase database(path(), 1s);
    sql::migrate(database, migrations().first(6));
    const auto run = [&](const std::string& statement, const auto&... values) {
      sql::Transaction transaction(database);
      database.query(statement, values...).step();
      transaction.commit();
    };
    const std::string dotted = "i\u0307zmir", dotless = "\u0131zmir";
    for (int video = 1; video <= 3; ++video) {
      run("INSERT INTO video (id, store_key, source, source_id, split_group, author, caption, duration, width, height, "
          "fps, codec, size_bytes, attributes, added) VALUES ($1, 'k', 's', '', 'g', '', '', 1, 1, 1, 1, '', 1, '{}', "
          "1)",
          id_of(video));
      const auto name = video == 1 ? dotted : video == 2 ? dotless : std::string("izmir");
      run("INSERT INTO hashtag (name) VALUES ($1)", name);
      run("INSERT INTO video_hashtag SELECT $1, 0, row_no, name FROM hashtag WHERE name = $2", video, name);
      run("INSERT INTO tagging_hashtag (name, video) VALUES ($1, $2)", name, id_of(1));
      run("INSERT INTO feedback (video, owner, name, typed, verdict, given) VALUES ($1, 'ann', $2, $2, 'accept', 1)",
          id_of(1), name);
    }
  }
  const auto catalog = open(path());
  EXPECT_THAT(catalog->videos.hashtag_counts(), testing::ElementsAre(testing::Pair("izmir", 3)));
  EXPECT_EQ(catalog->videos.count({.source = {}, .hashtag = "\u0130zmir"}), 3);
  FeedbackLog feedback(connect(path()));
  EXPECT_EQ(feedback.list(id_of(1), "ann").size(), 1U);
}

TEST_F(SqliteFile, DurabilityAndKeysAreOn) {
  sql::SqliteDatabase database(path(), 1s);
  sql::migrate(database, migrations());
  const auto pragma = [&](const std::string& name) {
    auto query = database.query("PRAGMA " + name);
    return query.step() ? query.text(0) : "";
  };
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("synchronous"), "2");  // FULL
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_THROW(database.execute("INSERT INTO video_hashtag VALUES (1, 0, 1, 'no such video')"), Exception);
  EXPECT_THROW(database.execute("INSERT INTO hashtag (name) VALUES (x'00')"), Exception);  // STRICT
}

}  // namespace
}  // namespace reeltag::catalog

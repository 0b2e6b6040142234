#include "migrate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "catalog_conformance.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/catalog/sqlite.hpp"

namespace reeltag::catalog {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Migration kFirst{1, "0001_first", "aaaa", "CREATE TABLE a (x {int64}, y {text}) {table};"};
constexpr Migration kSecond{2, "0002_second", "bbbb",
                            "CREATE TABLE b (x {row_no}) {table}; INSERT INTO a VALUES (1, 'y');"};
constexpr Migration kBoth[] = {kFirst, kSecond};
constexpr std::span<const Migration> kOnlyFirst{kBoth, 1};

std::set<std::string> tables(Database& database) {
  std::set<std::string> names;
  auto query = database.query("SELECT name FROM sqlite_schema WHERE type = 'table'");
  while (query.step()) names.insert(query.text(0));
  return names;
}

class Migrate : public testing::Test {
 protected:
  SqliteDatabase open() { return SqliteDatabase(folder_.path() / "c.db", 1s); }

  TemporaryFolder folder_;
};

TEST_F(Migrate, AppliesWhatIsMissingOnce) {
  auto database = open();
  migrate(database, kOnlyFirst);
  EXPECT_EQ(tables(database), (std::set<std::string>{"a", "schema_migration"}));
  for (int i = 0; i < 3; ++i) migrate(database, kBoth);
  EXPECT_EQ(tables(database), (std::set<std::string>{"a", "b", "schema_migration"}));
  auto rows = database.query("SELECT count(*) FROM a");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), 1);
  auto recorded = database.query("SELECT name, checksum FROM schema_migration WHERE version = 2");
  ASSERT_TRUE(recorded.step());
  EXPECT_EQ(recorded.text(0) + recorded.text(1), "0002_secondbbbb");
}

TEST_F(Migrate, AFailingMigrationChangesNothing) {
  auto database = open();
  const Migration broken[] = {
      kFirst, {2, "0002_broken", "cc", "CREATE TABLE b (x {int64}) {table}; INSERT INTO nowhere VALUES (1);"}};
  EXPECT_THROW(migrate(database, broken), Exception);
  EXPECT_EQ(tables(database), (std::set<std::string>{"a", "schema_migration"}));
  migrate(database, kBoth);
  EXPECT_EQ(tables(database).count("b"), 1U);
}

TEST_F(Migrate, AChangedTextIsCorrupt) {
  auto database = open();
  migrate(database, kBoth);
  const Migration changed[] = {{1, "0001_first", "ffff", kFirst.sql}, kSecond};
  const auto error = error_of([&] { migrate(database, changed); });
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, AllOf(HasSubstr("c.db"), HasSubstr("0001_first"), HasSubstr("aaaa"), HasSubstr("ffff")));
}

TEST_F(Migrate, ANewerCatalogIsUnsupported) {
  auto database = open();
  migrate(database, kBoth);
  const auto error = error_of([&] { migrate(database, kOnlyFirst); });
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("0002_second"), HasSubstr("newer reeltag")));
}

TEST_F(Migrate, AGapIsCorrupt) {
  auto database = open();
  migrate(database, kBoth);
  database.execute("DELETE FROM schema_migration WHERE version = 1");
  EXPECT_EQ(error_of([&] { migrate(database, kBoth); }).code, Code::corrupt);
}

TEST_F(Migrate, AnotherProgramsDatabaseIsLeftAlone) {
  auto database = open();
  database.execute("CREATE TABLE theirs (x)");
  const auto error = error_of([&] { migrate(database, kBoth); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(tables(database), std::set<std::string>{"theirs"});
}

TEST_F(Migrate, AnUnknownTypeIsOurMistake) {
  auto database = open();
  for (const char* sql : {"CREATE TABLE a (x {integer}) {table};", "CREATE TABLE a (x {int64"}) {
    const Migration wrong[] = {{1, "0001_wrong", "dd", sql}};
    EXPECT_EQ(error_of([&] { migrate(database, wrong); }).code, Code::internal);
  }
}

TEST(Migrations, AreTheFilesOfTheTree) {
  int version = 0;
  for (const auto& migration : migrations()) {
    EXPECT_EQ(migration.version, ++version);
    const auto path = std::string(REELTAG_SOURCE_DIR "/foundation/catalog/sql/") + std::string(migration.name) + ".sql";
    const auto text = read_file(path, 1 << 20);
    ASSERT_TRUE(text.has_value()) << path;
    EXPECT_EQ(*text, migration.sql);
    EXPECT_EQ(hex(sha256(*text)), migration.checksum);
  }
  EXPECT_GE(version, 1);
}

}  // namespace
}  // namespace reeltag::catalog

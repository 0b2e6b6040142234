#include "reeltag/sql/migrate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <thread>

#include "error_of.hpp"
#include "postgres_server.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/sql/postgres.hpp"
#include "reeltag/sql/sqlite.hpp"

namespace reeltag::sql {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Migration kFirst{1, "0001_first", "aaaa", "CREATE TABLE a (x {int64}, y {text}) {table};"};
constexpr Migration kSecond{2, "0002_second", "bbbb",
                            "CREATE TABLE b (x {row_no}) {table}; INSERT INTO a VALUES (1, 'y');"};
constexpr Migration kBoth[] = {kFirst, kSecond};
constexpr std::span<const Migration> kOnlyFirst{kBoth, 1};

// A database that is empty at first; each call of open returns a new connection.
struct Engine {
  std::string name, tables;  // a query for the tables' names
  std::function<std::function<std::unique_ptr<Database>()>()> make;
};
void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

std::function<std::unique_ptr<Database>()> sqlite() {
  return [folder = std::make_shared<TemporaryFolder>()] {
    return std::make_unique<SqliteDatabase>(folder->path() / "c.db", 10s);
  };
}

test::PostgresServer& postgres_server() {
  static test::PostgresServer server;
  return server;
}

std::function<std::unique_ptr<Database>()> postgres() {
  return [url = postgres_server().url(postgres_server().make_database())] {
    return std::make_unique<PostgresDatabase>(url, 10s);
  };
}

class Migrate : public testing::TestWithParam<Engine> {
 protected:
  std::unique_ptr<Database> open() { return open_(); }
  static std::set<std::string> tables(Database& database) {
    std::set<std::string> names;
    auto query = database.query(GetParam().tables);
    while (query.step()) names.insert(query.text(0));
    return names;
  }

 private:
  std::function<std::unique_ptr<Database>()> open_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(
    Engines, Migrate,
    testing::Values(Engine{"sqlite", "SELECT name FROM sqlite_schema WHERE type = 'table'", sqlite},
                    Engine{"postgres", "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
                           postgres}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_P(Migrate, AppliesWhatIsMissingOnce) {
  const auto opened = open();
  auto& database = *opened;
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

TEST_P(Migrate, AFailingMigrationChangesNothing) {
  const auto opened = open();
  auto& database = *opened;
  const Migration broken[] = {
      kFirst, {2, "0002_broken", "cc", "CREATE TABLE b (x {int64}) {table}; INSERT INTO nowhere VALUES (1);"}};
  EXPECT_THROW(migrate(database, broken), Exception);
  EXPECT_EQ(tables(database), (std::set<std::string>{"a", "schema_migration"}));
  migrate(database, kBoth);
  EXPECT_EQ(tables(database).count("b"), 1U);
}

TEST_P(Migrate, AChangedTextIsCorrupt) {
  const auto opened = open();
  auto& database = *opened;
  migrate(database, kBoth);
  const Migration changed[] = {{1, "0001_first", "ffff", kFirst.sql}, kSecond};
  const auto error = error_of([&] { migrate(database, changed); });
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr(database.name()), HasSubstr("0001_first"), HasSubstr("aaaa"), HasSubstr("ffff")));
}

TEST_P(Migrate, ANewerCatalogIsUnsupported) {
  const auto opened = open();
  auto& database = *opened;
  migrate(database, kBoth);
  const auto error = error_of([&] { migrate(database, kOnlyFirst); });
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("0002_second"), HasSubstr("newer reeltag")));
}

TEST_P(Migrate, AGapIsCorrupt) {
  const auto opened = open();
  auto& database = *opened;
  migrate(database, kBoth);
  database.execute("DELETE FROM schema_migration WHERE version = 1");
  EXPECT_EQ(error_of([&] { migrate(database, kBoth); }).code, Code::corrupt);
}

TEST_P(Migrate, AnotherProgramsDatabaseIsLeftAlone) {
  const auto opened = open();
  auto& database = *opened;
  database.execute("CREATE TABLE theirs (x INTEGER)");
  const auto error = error_of([&] { migrate(database, kBoth); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(tables(database), std::set<std::string>{"theirs"});
}

TEST_P(Migrate, ManyMigrateAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { migrate(*open(), kBoth); });
  }
  for (auto& thread : threads) thread.join();
  const auto database = open();
  auto rows = database->query("SELECT COUNT(*) FROM a");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), 1);
}

TEST_P(Migrate, AnUnknownTypeIsOurMistake) {
  const auto opened = open();
  auto& database = *opened;
  for (const char* sql : {"CREATE TABLE a (x {integer}) {table};", "CREATE TABLE a (x {int64"}) {
    const Migration wrong[] = {{1, "0001_wrong", "dd", sql}};
    EXPECT_EQ(error_of([&] { migrate(database, wrong); }).code, Code::internal);
  }
}

}  // namespace
}  // namespace reeltag::sql

// Runs the conformance suite on PostgreSQL, and tests failures specific to a server.
#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "catalog_conformance.hpp"
#include "migrations.hpp"
#include "reeltag/sql/postgres.hpp"
#include "test_servers.hpp"

namespace reeltag::catalog {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A database on the server. Not dropped: all of them end with the server.
class PostgresPlace final : public CatalogPlace {
 public:
  std::unique_ptr<Catalog> open() override { return catalog::open(postgres_server().url(database_)); }

 private:
  std::string database_ = postgres_server().make_database();
};

INSTANTIATE_TEST_SUITE_P(Postgres, CatalogConformance,
                         testing::Values(CatalogFactory{"postgres", [] { return std::make_unique<PostgresPlace>(); }}),
                         [](const auto& parameter) { return parameter.param.name; });

class Postgres : public testing::Test {
 protected:
  [[nodiscard]] std::string url(const std::string& user = "tester") const { return server_.url(name_, user); }
  // Closes all connections to the database on the server's side, as a restart would.
  void end_connections() {
    server_.sql("postgres",
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + name_ + "'");
  }

  test::PostgresServer& server_ = postgres_server();
  std::string name_ = server_.make_database();
};

TEST_F(Postgres, AServerThatWasRestartedIsConnectedToAnew) {
  const auto catalog = open(url());
  catalog->videos.add(video_of(1, {"cat"}));
  server_.stop();
  EXPECT_EQ(error_of([&] { catalog->videos.count({}); }).code, Code::unavailable);
  const auto error = error_of([&] { catalog->videos.add(video_of(2)); });
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(HasSubstr(name_), HasSubstr("is the server running")));
  server_.start();
  EXPECT_EQ(catalog->videos.add(video_of(1, {"dog"})), AddOutcome::duplicate);
  server_.kill();
  server_.start();
  EXPECT_EQ(catalog->videos.get(id_of(1))->hashtags, (std::vector<std::string>{"cat", "dog"}));
  server_.kill();
  server_.start();
  int seen = 0;
  catalog->videos.each({}, [&](const Video&) { ++seen; });
  EXPECT_EQ(seen, 1);
}

TEST_F(Postgres, AServerKilledInATransactionLeavesNothingOfIt) {
  sql::PostgresDatabase database(url(), 1s);
  sql::migrate(database, migrations());
  {
    sql::Transaction transaction(database);
    database.query("INSERT INTO note (name, body) VALUES ($1, $2)", "a", "1").step();
    server_.kill();
    server_.start();
    // No reconnection within a transaction: its first half would be missing.
    const auto error =
        error_of([&] { database.query("INSERT INTO note (name, body) VALUES ($1, $2)", "b", "2").step(); });
    EXPECT_EQ(error.code, Code::unavailable);
    EXPECT_THAT(error.message, HasSubstr("nothing of this change was stored"));
    EXPECT_EQ(error_of([&] { transaction.commit(); }).code, Code::unavailable);
  }
  auto count = database.query("SELECT COUNT(*) FROM note");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 0);
}

TEST_F(Postgres, AServerKilledWhileVideosAreAddedKeepsAllOrNothing) {
  const auto catalog = open(url());
  std::vector<Video> many;
  for (int i = 0; i < 3000; ++i) many.push_back(video_of(i, {"one", "two"}));
  Error error;
  std::thread adder([&] { error = error_of([&] { catalog->videos.add_all(many); }); });
  while (server_.sql("postgres", "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'") == "0\n") {
    std::this_thread::sleep_for(1ms);
  }
  server_.kill();
  adder.join();
  server_.start();
  EXPECT_EQ(error.code, Code::unavailable) << error.message;
  EXPECT_EQ(catalog->videos.count({}), 0);
  EXPECT_EQ(catalog->videos.add_all(many).size(), many.size());
  EXPECT_EQ(open(url())->videos.count({.source = {}, .hashtag = "two"}), 3000);
}

TEST_F(Postgres, AConnectionLostAmongRowsIsAnError) {
  const auto catalog = open(url());
  std::vector<Video> many(200);
  for (int i = 0; i < 200; ++i) {
    many[static_cast<std::size_t>(i)] = video_of(i);
    many[static_cast<std::size_t>(i)].caption = std::string(100'000, 'x');  // more than socket buffers hold
  }
  catalog->videos.add_all(many);
  int seen = 0;
  const auto error = error_of([&] {
    catalog->videos.each({}, [&](const Video&) {
      if (++seen == 1) end_connections();
    });
  });
  EXPECT_EQ(error.code, Code::unavailable) << error.message;
  EXPECT_LT(seen, 200);
  EXPECT_EQ(catalog->videos.count({}), 200);
}

TEST_F(Postgres, AWriterWaitsForAnotherAndReadersDoNot) {
  const auto catalog = open(url(), {.lock_wait = 0.2});
  sql::PostgresDatabase other(url(), 1s);
  {
    const sql::Transaction transaction(other);
    EXPECT_EQ(catalog->videos.count({}), 0);
    const auto error = error_of([&] { catalog->videos.add(video_of(1)); });
    EXPECT_EQ(error.code, Code::unavailable);
    EXPECT_THAT(error.message, HasSubstr("another process"));
  }
  EXPECT_EQ(catalog->videos.add(video_of(1)), AddOutcome::added);
}

TEST_F(Postgres, ASecretInTheUrlIsRefusedAndNotRepeated) {
  for (const std::string bad : {"postgresql://me:SECRET@localhost/db", "postgres://localhost/db?password=SECRET",
                                "postgresql://localhost/db?sslpassword=SECRET"}) {
    const auto error = error_of([&] { open(bad); });
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_THAT(error.message, AllOf(HasSubstr("PGPASSFILE"), HasSubstr("PGPASSWORD"), Not(HasSubstr("SECRET"))));
    EXPECT_EQ(error_of([&] { check_location(bad); }).code, Code::invalid_argument);
  }
  const auto error = error_of([] { check_location("postgresql://me:SECRET@[::1/db?nonsense=1"); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("USER@HOST"), Not(HasSubstr("SECRET"))));
}

TEST_F(Postgres, WhatRefusesAConnectionIsNamedWithAdvice) {
  const auto no_database = error_of([&] { open(server_.url("nowhere")); });
  EXPECT_EQ(no_database.code, Code::not_found);
  EXPECT_THAT(no_database.message, AllOf(HasSubstr("nowhere"), HasSubstr("createdb")));
  const auto no_server = error_of([&] { open("postgresql://tester@/x?host=/nowhere/at/all"); });
  EXPECT_EQ(no_server.code, Code::unavailable);
  EXPECT_THAT(no_server.message, HasSubstr("is the server running"));

  const std::string file = std::getenv("PGPASSFILE");
  ::setenv("PGPASSFILE", "/nowhere/at/all", 1);
  const auto no_password = error_of([&] { open(url()); });
  ::setenv("PGPASSWORD", "WRONG", 1);
  const auto wrong = error_of([&] { open(url()); });
  ::unsetenv("PGPASSWORD");
  ::setenv("PGPASSFILE", file.c_str(), 1);
  for (const auto& error : {no_password, wrong}) {
    EXPECT_EQ(error.code, Code::permission_denied) << error.message;
    EXPECT_THAT(error.message, AllOf(HasSubstr("PGPASSFILE"), Not(HasSubstr("WRONG")), Not(HasSubstr("\n"))));
  }
}

TEST_F(Postgres, ADatabaseOfAnotherKindIsRefused) {
  const auto latin = server_.make_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const auto error = error_of([&] { open(server_.url(latin)); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("LATIN1"), HasSubstr("--encoding=UTF8")));

  server_.sql(name_, "CREATE TABLE theirs (x int)");
  const auto theirs = error_of([&] { open(url()); });
  EXPECT_EQ(theirs.code, Code::invalid_argument);
  EXPECT_THAT(theirs.message, AllOf(HasSubstr("another program"), HasSubstr("search_path")));
  // A separate schema next to the other program's tables.
  server_.sql(name_, "CREATE SCHEMA mine");
  const auto mine = url() + "&options=-csearch_path%3Dmine";
  open(mine)->videos.add(video_of(1));
  EXPECT_EQ(open(mine)->videos.count({}), 1);
  EXPECT_EQ(server_.sql(name_, "SELECT COUNT(*) FROM mine.video"), "1\n");
}

TEST_F(Postgres, AUserWithoutRightsIsPermissionDenied) {
  server_.sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'a b''c'");
  const auto error = error_of([&] { open(url("guest")); });
  EXPECT_EQ(error.code, Code::permission_denied);
  EXPECT_THAT(error.message, HasSubstr("grant"));
}

TEST_F(Postgres, TextsAreComparedByBytesWhateverTheDatabaseSorts) {
  open(url());
  EXPECT_EQ(server_.sql(name_,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = "
                        "'text' AND collation_name IS DISTINCT FROM 'C'"),
            "0\n");
  EXPECT_NE(server_.sql(name_, "SELECT COUNT(*) FROM information_schema.columns WHERE collation_name = 'C'"), "0\n");
}

}  // namespace
}  // namespace reeltag::catalog

// SQLite's C interface as values that clean up after themselves: Database, Query, Transaction, Snapshot. For the
// modules that keep a database of their own (catalog, index); none shows it in its interface. One thread at a time.
// Failures throw Exception with the file and what was being done.
//
//   Database database(home / "catalog.db", std::chrono::seconds(10));
//   auto query = database.query("SELECT caption FROM video WHERE id = $1", id);
//   if (query.step()) use(query.text(0));
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace reeltag::catalog {

class Database;

// One run of a statement: bound, stepped through, and made ready for the next run by the destructor.
class Query {
 public:
  Query(Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  Query(Query&& other) noexcept : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  ~Query();

  // Parameter $n, counted from 1. Values are copied.
  void bind(int n, std::int64_t value);
  void bind(int n, int value) { bind(n, std::int64_t{value}); }
  void bind(int n, double value);
  void bind(int n, std::string_view value);
  void bind(int n, const std::optional<std::int64_t>& value);

  // True: there is a row to read.
  bool step();

  // Columns of the row, counted from 0.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  // The bytes stay valid until the next step().
  [[nodiscard]] std::string_view text_view(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  [[nodiscard]] int index(int n) const;
  void check(int result) const;

  Database* database_;
  sqlite3_stmt* statement_;
};

// What differs between the databases that the program keeps.
struct Purpose {
  std::string name = "catalog";  // what messages call it
  // What to do when the file is damaged, or is no database.
  std::string when_damaged = "restore it from a backup, or rescue what is left with: sqlite3 FILE .recover";
  std::string when_foreign = "name another file, or move this one away to begin a new catalog";
  // False: a commit survives a kill, a loss of power may undo the last ones. For what can be made anew.
  bool every_commit_synced = true;
};

class Database {
 public:
  // Opens, creating file and folder as needed: WAL, foreign keys on.
  Database(const std::filesystem::path& path, std::chrono::milliseconds lock_wait, Purpose purpose = {});
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Statements without parameters and results.
  void execute(const std::string& sql);

  // A prepared statement with $1, $2, ... bound to values. Kept prepared under its text; two runs of the same text must
  // not overlap.
  template <class... Values>
  Query query(const std::string& sql, const Values&... values) {
    Query run(*this, prepare(sql));
    int n = 0;
    (run.bind(++n, values), ...);
    return run;
  }
  Query query_with(const std::string& sql, std::span<const std::string> values);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  friend class Query;
  friend class Transaction;
  friend class Snapshot;

  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  sqlite3_stmt* prepare(const std::string& sql);
  void use_wal();
  void roll_back();
  [[noreturn]] void raise(int result) const;

  std::filesystem::path path_;
  std::chrono::milliseconds lock_wait_;
  Purpose purpose_;
  std::unique_ptr<sqlite3, Close> handle_;
  // After handle_: finalised before the database is closed.
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// A write transaction; rolled back unless committed. Takes the write lock at once, so that reads in it stay true.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
};

// Several reads that see the database as it was at the first of them, whoever writes meanwhile.
class Snapshot {
 public:
  explicit Snapshot(Database& database);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

 private:
  Database& database_;
};

}  // namespace reeltag::catalog

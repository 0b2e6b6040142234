// SQL statements over SQLite (sqlite.hpp) and PostgreSQL (postgres.hpp), written once in the subset that both accept.
// Thread-safety: one thread at a time per Database. Ownership: a Database owns its statements; Query, Transaction and
// Snapshot borrow it and release their state in the destructor. Failures throw Exception with the database's name and
// advice. Write only within a Transaction: a query outside of one may run twice (after a lost connection).
//
//   auto query = database.query("SELECT caption FROM video WHERE id = $1", id);
//   if (query.step()) use(query.text(0));
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reeltag::sql {

// A prepared statement, cached by its database. Only Query calls it.
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  virtual ~Statement() = default;

  virtual void bind(int n, std::int64_t value) = 0;
  virtual void bind(int n, double value) = 0;
  virtual void bind(int n, std::string_view value) = 0;
  virtual void bind_null(int n) = 0;
  // Call before the first step(): rows then arrive one by one and are not kept.
  virtual void stream() = 0;
  virtual bool step() = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual double real(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  // Clears the parameters and makes the statement ready for the next run.
  virtual void reset() noexcept = 0;
};

// One execution of a statement: bind, then step through the rows; the destructor resets the statement.
class Query {
 public:
  explicit Query(Statement& statement) : statement_(&statement) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (statement_ != nullptr) statement_->reset();
  }

  // Binds parameter $n, counted from 1. Values are copied.
  void bind(int n, std::int64_t value) { statement_->bind(n, value); }
  void bind(int n, int value) { statement_->bind(n, std::int64_t{value}); }
  void bind(int n, double value) { statement_->bind(n, value); }
  void bind(int n, std::string_view value) { statement_->bind(n, value); }
  void bind(int n, const std::optional<std::int64_t>& value) {
    value ? statement_->bind(n, *value) : statement_->bind_null(n);
  }

  // True while there is a row to read.
  bool step() { return statement_->step(); }

  // Columns of the current row, counted from 0.
  [[nodiscard]] std::int64_t integer(int column) const { return statement_->integer(column); }
  [[nodiscard]] double real(int column) const { return statement_->real(column); }
  [[nodiscard]] std::string text(int column) const { return std::string(statement_->text(column)); }
  // Valid until the next step().
  [[nodiscard]] std::string_view text_view(int column) const { return statement_->text(column); }
  [[nodiscard]] bool is_null(int column) const { return statement_->is_null(column); }

 private:
  Statement* statement_;
};

struct Dialect;

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  // The name used in messages: catalog '/home/me/.reeltag/catalog.db'.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual const Dialect& dialect() const = 0;

  // Runs statements that have neither parameters nor results.
  virtual void execute(const std::string& sql) = 0;

  // Rewrites the storage without deleted data. Throws unavailable if other users of the database prevent it.
  virtual void compact() = 0;

  // Prepares a statement and binds values to $1, $2, ... The statement is cached by its text; two runs of the same text
  // must not overlap.
  template <class... Values>
  Query query(const std::string& sql, const Values&... values) {
    Query run(prepare(sql));
    int n = 0;
    (run.bind(++n, values), ...);
    return run;
  }
  Query query_with(const std::string& sql, std::span<const std::string> values);
  // As query_with, for results of any size: rows are not kept. No other query may run before this one ends.
  Query stream_with(const std::string& sql, std::span<const std::string> values);

  // Only the functions above, Transaction and Snapshot call these.
  virtual Statement& prepare(const std::string& sql) = 0;
  virtual void begin_writing() = 0;
  virtual void begin_reading() = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
};

// A write transaction; rolled back unless committed. Takes the database's single write lock at the start, so that data
// read in it cannot change before the commit.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.begin_writing(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { database_.roll_back(); }
  void commit() { database_.commit(); }

 private:
  Database& database_;
};

// A read transaction: all reads see the database as of the first one, regardless of concurrent writes.
class Snapshot {
 public:
  explicit Snapshot(Database& database) : database_(database) { database_.begin_reading(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { database_.roll_back(); }

 private:
  Database& database_;
};

}  // namespace reeltag::sql

// Statements of SQL over the databases that reeltag knows (SQLite in sqlite.hpp, PostgreSQL in postgres.hpp): what a
// module keeps is written once, in the subset that both understand. Database, Query, Transaction, Snapshot are values
// that clean up after themselves. One thread at a time. Failures throw Exception with the database's name and what to
// do. Everything that writes does so in a Transaction; a query outside of one may be run twice (a lost connection).
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

// A prepared text, kept by its database. Only Query calls it.
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
  // Before the first step(): rows come one by one and are not kept.
  virtual void stream() = 0;
  virtual bool step() = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual double real(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  // Ready for the next run, without parameters.
  virtual void reset() noexcept = 0;
};

// One run of a statement: bound, stepped through, and made ready for the next run by the destructor.
class Query {
 public:
  explicit Query(Statement& statement) : statement_(&statement) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (statement_ != nullptr) statement_->reset();
  }

  // Parameter $n, counted from 1. Values are copied.
  void bind(int n, std::int64_t value) { statement_->bind(n, value); }
  void bind(int n, int value) { statement_->bind(n, std::int64_t{value}); }
  void bind(int n, double value) { statement_->bind(n, value); }
  void bind(int n, std::string_view value) { statement_->bind(n, value); }
  void bind(int n, const std::optional<std::int64_t>& value) {
    value ? statement_->bind(n, *value) : statement_->bind_null(n);
  }

  // True: there is a row to read.
  bool step() { return statement_->step(); }

  // Columns of the row, counted from 0.
  [[nodiscard]] std::int64_t integer(int column) const { return statement_->integer(column); }
  [[nodiscard]] double real(int column) const { return statement_->real(column); }
  [[nodiscard]] std::string text(int column) const { return std::string(statement_->text(column)); }
  // The bytes stay valid until the next step().
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

  // What messages call it: catalog '/home/me/.reeltag/catalog.db'.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual const Dialect& dialect() const = 0;

  // Statements without parameters and results.
  virtual void execute(const std::string& sql) = 0;

  // Rewrites what it keeps without what was deleted. Throws unavailable where others that use it keep it from that.
  virtual void compact() = 0;

  // A prepared statement with $1, $2, ... bound to values. Kept prepared under its text; two runs of the same text must
  // not overlap.
  template <class... Values>
  Query query(const std::string& sql, const Values&... values) {
    Query run(prepare(sql));
    int n = 0;
    (run.bind(++n, values), ...);
    return run;
  }
  Query query_with(const std::string& sql, std::span<const std::string> values);
  // The same for results of any size: rows are not kept. No other query may run before this one ends.
  Query stream_with(const std::string& sql, std::span<const std::string> values);

 private:
  friend class Transaction;
  friend class Snapshot;

  virtual Statement& prepare(const std::string& sql) = 0;
  virtual void begin_writing() = 0;
  virtual void begin_reading() = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
};

// A write transaction; rolled back unless committed. Takes the one write lock of the database at once, so that reads in
// it stay true.
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

// Several reads that see the database as it was at the first of them, whoever writes meanwhile.
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

// PostgreSQL as a Database, by libpq: one connection, prepared statements, parameters as text. Private to sql.
// One thread at a time.
//
// A connection that is lost is made anew, once, by the next call that is not in a transaction; in a transaction the
// loss is an Exception (unavailable), and the server undoes what was not committed. Writers wait for each other by an
// advisory lock, so a Transaction means the same as on SQLite and cannot deadlock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reeltag/sql.hpp"

struct pg_conn;
struct pg_result;

namespace reeltag::sql {

// Whether the location is for this database: postgresql://... or postgres://...
bool is_postgres_url(std::string_view location) noexcept;

// Throws invalid_argument for a URL that cannot be read or holds a password.
void check_postgres_url(const std::string& url);

class PostgresDatabase final : public Database {
 public:
  // Connects. What the URL leaves open comes from libpq's environment (PGHOST, PGPASSFILE, PGSERVICE ...).
  PostgresDatabase(std::string url, std::chrono::milliseconds lock_wait);
  ~PostgresDatabase() override;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] const Dialect& dialect() const override;
  void execute(const std::string& sql) override;
  // Old rows stay in the server's write-ahead log until it is recycled, and in its backups.
  void compact() override;

 private:
  class PreparedStatement;
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using Result = std::unique_ptr<pg_result, Clear>;

  Statement& prepare(const std::string& sql) override;
  void begin_writing() override;
  void begin_reading() override;
  void commit() override;
  void roll_back() noexcept override;

  void connect();
  // Runs it; when the connection turns out to be lost and no transaction is open, connects anew and runs it once more.
  template <class Run>
  Result with_connection(const Run& run);
  [[nodiscard]] bool lost() const;
  // Lets go of the connection when the result says that it is lost.
  Result heard(Result result);
  // The result, or what its error means. where: the statement, for errors that are our own mistake.
  Result checked(Result result, std::string_view where);
  [[noreturn]] void raise(const pg_result* result, std::string_view where);

  std::string url_;
  std::chrono::milliseconds lock_wait_;
  bool in_transaction_ = false;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::uint64_t connections_ = 0;  // made so far: a statement is prepared anew on each
  std::unordered_map<std::string, std::unique_ptr<PreparedStatement>> statements_;
};

}  // namespace reeltag::sql

// PostgreSQL as a Database, through libpq: one connection, prepared statements, parameters as text. Private to sql.
// One thread at a time; owns its connection.
//
// Failure: outside a transaction, the next call re-establishes a lost connection once; within one, the loss throws
// Exception (unavailable), and the server rolls back. Writers wait for each other on an advisory lock, so a Transaction
// has the same meaning as on SQLite and cannot deadlock.
//
//   PostgresDatabase database("postgresql://user@host/catalog", std::chrono::seconds(10));
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

// Whether the location has the form postgresql://... or postgres://...
bool is_postgres_url(std::string_view location) noexcept;

// Throws invalid_argument for a URL that cannot be parsed or contains a password.
void check_postgres_url(const std::string& url);

class PostgresDatabase final : public Database {
 public:
  // Connects. Settings missing in the URL come from libpq's environment (PGHOST, PGPASSFILE, PGSERVICE ...).
  PostgresDatabase(std::string url, std::chrono::milliseconds lock_wait);
  ~PostgresDatabase() override;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] const Dialect& dialect() const override;
  void execute(const std::string& sql) override;
  // Old rows remain in the server's write-ahead log until it is recycled, and in its backups.
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
  // Runs it; if the connection turns out to be lost and no transaction is open, reconnects and runs it once more.
  template <class Run>
  Result with_connection(const Run& run);
  [[nodiscard]] bool lost() const;
  // Drops the connection if the result says that it is lost.
  Result heard(Result result);
  // Returns the result, or throws its error. where: the statement, for errors that are our own mistake.
  Result checked(Result result, std::string_view where);
  [[noreturn]] void raise(const pg_result* result, std::string_view where);

  std::string url_;
  std::chrono::milliseconds lock_wait_;
  bool in_transaction_ = false;
  std::unique_ptr<pg_conn, Finish> connection_;
  std::uint64_t connections_ = 0;  // number of connections made so far: statements are prepared again on each
  std::unordered_map<std::string, std::unique_ptr<PreparedStatement>> statements_;
};

}  // namespace reeltag::sql

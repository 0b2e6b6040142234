// SQLite as a Database, for the modules that own one (catalog, index); none exposes it in its interface.
// One thread at a time. Owns the connection. Failures throw Exception with the file and the operation.
//
//   SqliteDatabase database(home / "catalog.db", std::chrono::seconds(10));
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "reeltag/sql.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace reeltag::sql {

// Settings that differ between the program's databases.
struct Purpose {
  std::string name = "catalog";  // the name in messages
  // Advice if the file is damaged, or is not a database.
  std::string when_damaged = "restore it from a backup, or rescue what is left with: sqlite3 FILE .recover";
  std::string when_foreign = "name another file, or move this one away to begin a new catalog";
  // False: commits survive a killed process, but a power loss may undo the last ones. For data that can be rebuilt.
  bool every_commit_synced = true;
};

class SqliteDatabase final : public Database {
 public:
  // Opens the database, creating file and folder as needed: WAL, foreign keys on.
  SqliteDatabase(const std::filesystem::path& path, std::chrono::milliseconds lock_wait, Purpose purpose = {});
  ~SqliteDatabase() override;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] const Dialect& dialect() const override;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void execute(const std::string& sql) override;
  void compact() override;

 private:
  class PreparedStatement;
  struct Close {
    void operator()(sqlite3* handle) const;
  };

  Statement& prepare(const std::string& sql) override;
  void begin_writing() override;
  void begin_reading() override;
  void commit() override;
  void roll_back() noexcept override;
  void use_wal();
  [[noreturn]] void raise(int result) const;

  std::filesystem::path path_;
  std::chrono::milliseconds lock_wait_;
  Purpose purpose_;
  std::unique_ptr<sqlite3, Close> handle_;
  // Declared after handle_: statements must be finalized before the database is closed.
  std::unordered_map<std::string, std::unique_ptr<PreparedStatement>> statements_;
};

}  // namespace reeltag::sql

#include "reeltag/sql/sqlite.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <thread>

#include "dialect.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::sql {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string_view> kSqliteTypes[] = {
    {"row_no", "INTEGER PRIMARY KEY"},  // the table's own row number, chosen by the database
    {"int64", "INTEGER"},
    {"float64", "REAL"},
    {"text", "TEXT"},  // compared and sorted by bytes
    {"table", "STRICT"},
    {"keyed_table", "STRICT, WITHOUT ROWID"}};  // found by its primary key only

// 1919247724 is 0x7265656C, "reel" in ASCII.
constexpr Dialect kSqliteDialect{
    .types = kSqliteTypes,
    .is_catalog = "SELECT application_id = 1919247724 FROM pragma_application_id",
    .count_tables = "SELECT COUNT(*) FROM sqlite_schema",
    .mark = "PRAGMA application_id = 1919247724",
    .elsewhere = "name another file",
};

struct SqliteMeaning {
  Code code;
  const char* advice;
};

// Source: https://www.sqlite.org/rescode.html, primary codes.
SqliteMeaning meaning_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::unavailable, "; another process is using it, try again when that has ended"};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {Code::corrupt, ""};  // the database's own advice applies
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {Code::permission_denied, "; check the owner and the mode of the file and of its folder"};
    case SQLITE_FULL:
      return {Code::unavailable, "; free some space, nothing was changed"};
    case SQLITE_IOERR:
      return {Code::unavailable, "; check the disk, nothing was changed"};
    case SQLITE_TOOBIG:
      return {Code::too_large, ""};
    case SQLITE_NOMEM:
      return {Code::unavailable, "; memory is short"};
    default:
      return {Code::internal, ""};
  }
}

// Creates the folder and its missing parents durably; otherwise a crash could remove the database with them.
void make_folder(const fs::path& folder, const Purpose& purpose) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  make_folder(folder.parent_path(), purpose);
  if (fs::create_directory(folder, error)) {
    sync_folder(folder.parent_path());
  } else if (std::error_code none; !fs::is_directory(folder, none)) {
    const bool denied = error == std::errc::permission_denied || error == std::errc::read_only_file_system;
    throw Exception(denied ? Code::permission_denied : Code::unavailable,
                    "the " + purpose.name + "'s folder '" + folder.string() + "' cannot be made: " + error.message());
  }
}

}  // namespace

class SqliteDatabase::PreparedStatement final : public Statement {
 public:
  PreparedStatement(SqliteDatabase& database, const std::string& sql) : database_(database) {
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(database.handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) database.raise(result);
    statement_.reset(statement);
  }

  void bind(int n, std::int64_t value) override { check(sqlite3_bind_int64(get(), index(n), value)); }
  void bind(int n, double value) override { check(sqlite3_bind_double(get(), index(n), value)); }
  void bind(int n, std::string_view value) override {
    const char* bytes = value.empty() ? "" : value.data();  // a null pointer would bind NULL
    check(sqlite3_bind_text64(get(), index(n), bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  void bind_null(int n) override { check(sqlite3_bind_null(get(), index(n))); }
  void stream() override {}  // it always streams
  bool step() override {
    const int result = sqlite3_step(get());
    if (result != SQLITE_ROW && result != SQLITE_DONE) database_.raise(result);
    return result == SQLITE_ROW;
  }
  [[nodiscard]] std::int64_t integer(int column) const override { return sqlite3_column_int64(get(), column); }
  [[nodiscard]] double real(int column) const override { return sqlite3_column_double(get(), column); }
  [[nodiscard]] std::string_view text(int column) const override {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
    return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
  }
  [[nodiscard]] bool is_null(int column) const override { return sqlite3_column_type(get(), column) == SQLITE_NULL; }
  void reset() noexcept override {
    sqlite3_reset(get());
    sqlite3_clear_bindings(get());
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  [[nodiscard]] sqlite3_stmt* get() const { return statement_.get(); }
  [[nodiscard]] int index(int n) const {
    std::string name = "$";  // SQLite treats "$1" as a name, not a number
    name += std::to_string(n);
    // Tries the order of appearance, which is nearly always the numeric one; a lookup by name scans all.
    const char* there = sqlite3_bind_parameter_name(get(), n);
    if (there != nullptr && name == there) return n;
    const int index = sqlite3_bind_parameter_index(get(), name.c_str());
    if (index == 0) throw Exception(Code::internal, "no " + name + " in: " + sqlite3_sql(get()));
    return index;
  }
  void check(int result) const {
    if (result != SQLITE_OK) database_.raise(result);
  }

  SqliteDatabase& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

void SqliteDatabase::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }

SqliteDatabase::SqliteDatabase(const fs::path& path, std::chrono::milliseconds lock_wait, Purpose purpose)
    : path_(path), lock_wait_(lock_wait), purpose_(std::move(purpose)) {
  std::error_code error;
  make_folder(path.parent_path(), purpose_);
  if (fs::is_directory(path, error)) {
    throw Exception(Code::invalid_argument, purpose_.name + " '" + path.string() + "' is a folder; name a file");
  }
  sqlite3* handle = nullptr;
  // Without SQLITE_OPEN_URI a path is never interpreted as a URI.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &handle, kFlags, nullptr);
  handle_.reset(handle);
  if (result != SQLITE_OK) raise(result);
  // SQLite falls back to read-only access if it may not write.
  if (sqlite3_db_readonly(handle, "main") == 1) raise(SQLITE_READONLY);
  constexpr std::chrono::milliseconds kMax{std::numeric_limits<int>::max()};
  sqlite3_busy_timeout(handle, static_cast<int>(std::clamp(lock_wait, std::chrono::milliseconds{0}, kMax).count()));
  // The file may be untrusted: its schema must not run functions, and nothing may write to SQLite's own tables.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  execute("PRAGMA foreign_keys = ON");
  execute("PRAGMA secure_delete = ON");  // overwrites deleted or replaced data with zeros
  use_wal();
  execute(purpose_.every_commit_synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  // KiB, allocated as needed. Ids are random, so inserts and scans by id touch pages everywhere; 64 MiB hold most of a
  // catalog of 100,000 videos (86 MB).
  execute("PRAGMA cache_size = -65536");
}

SqliteDatabase::~SqliteDatabase() = default;

std::string SqliteDatabase::name() const { return purpose_.name + " '" + path_.string() + "'"; }

const Dialect& SqliteDatabase::dialect() const { return kSqliteDialect; }

// Enabling WAL takes a lock for which SQLite does not always wait by itself.
void SqliteDatabase::use_wal() {
  constexpr std::chrono::milliseconds kPause{10};
  const auto deadline = std::chrono::steady_clock::now() + lock_wait_;
  for (;;) {
    const int result = sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (result == SQLITE_OK) return;
    if ((result & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) raise(result);
    std::this_thread::sleep_for(kPause);
  }
}

void SqliteDatabase::raise(int result) const {
  const auto [code, advice] = meaning_of(result);
  const char* said = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(result);
  // The handle has the message of its last call only.
  if (handle_ && sqlite3_extended_errcode(handle_.get()) != result) said = sqlite3_errstr(result);
  std::string message = name() + ": " + said + advice;
  if (code == Code::corrupt) {
    message += "; " + ((result & 0xFF) == SQLITE_NOTADB ? purpose_.when_foreign : purpose_.when_damaged);
  }
  throw Exception(code, message);
}

void SqliteDatabase::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) raise(result);
}

void SqliteDatabase::compact() {
  execute("VACUUM");
  // Rewritten pages are in the journal, and old ones still in the file, until the checkpoint copies them.
  auto checkpoint = query("PRAGMA wal_checkpoint(TRUNCATE)");
  if (checkpoint.step() && checkpoint.integer(0) != 0) {
    throw Exception(Code::unavailable, name() +
                                           ": another process is reading it, so that what was deleted is still in "
                                           "its journal; try again when that has ended");
  }
}

Statement& SqliteDatabase::prepare(const std::string& sql) {
  auto& kept = statements_[sql];
  if (!kept) kept = std::make_unique<PreparedStatement>(*this, sql);
  return *kept;
}

void SqliteDatabase::begin_writing() { execute("BEGIN IMMEDIATE"); }

void SqliteDatabase::begin_reading() { execute("BEGIN"); }

void SqliteDatabase::commit() { execute("COMMIT"); }

void SqliteDatabase::roll_back() noexcept {
  // Some failures roll back automatically.
  if (sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace reeltag::sql

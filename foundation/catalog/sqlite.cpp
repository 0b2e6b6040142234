#include "reeltag/catalog/sqlite.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <thread>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;

struct Meaning {
  Code code;
  const char* advice;
};

// Source: https://www.sqlite.org/rescode.html, primary codes.
Meaning meaning_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::unavailable, "; another process is using it, try again when that has ended"};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {Code::corrupt, ""};  // the advice is the database's own
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

// Creates the folder and its missing parents so that they survive a crash; the database would go with them.
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

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::check(int result) const {
  if (result != SQLITE_OK) database_->raise(result);
}

int Query::index(int n) const {
  std::string name = "$";  // "$1" is a name to SQLite, not a number
  name += std::to_string(n);
  const int index = sqlite3_bind_parameter_index(statement_, name.c_str());
  if (index == 0) throw Exception(Code::internal, "no " + name + " in: " + sqlite3_sql(statement_));
  return index;
}

void Query::bind(int n, std::int64_t value) { check(sqlite3_bind_int64(statement_, index(n), value)); }

void Query::bind(int n, double value) { check(sqlite3_bind_double(statement_, index(n), value)); }

void Query::bind(int n, std::string_view value) {
  const char* bytes = value.empty() ? "" : value.data();  // a null pointer would bind NULL
  check(sqlite3_bind_text64(statement_, index(n), bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::bind(int n, const std::optional<std::int64_t>& value) {
  check(value ? sqlite3_bind_int64(statement_, index(n), *value) : sqlite3_bind_null(statement_, index(n)));
}

bool Query::step() {
  const int result = sqlite3_step(statement_);
  if (result != SQLITE_ROW && result != SQLITE_DONE) database_->raise(result);
  return result == SQLITE_ROW;
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Query::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Query::text_view(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string Query::text(int column) const { return std::string(text_view(column)); }

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }

void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const fs::path& path, std::chrono::milliseconds lock_wait, Purpose purpose)
    : path_(path), lock_wait_(lock_wait), purpose_(std::move(purpose)) {
  std::error_code error;
  make_folder(path.parent_path(), purpose_);
  if (fs::is_directory(path, error)) {
    throw Exception(Code::invalid_argument, purpose_.name + " '" + path.string() + "' is a folder; name a file");
  }
  sqlite3* handle = nullptr;
  // Without SQLITE_OPEN_URI a path is only ever a path.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &handle, kFlags, nullptr);
  handle_.reset(handle);
  if (result != SQLITE_OK) raise(result);
  // SQLite falls back to reading only when it may not write.
  if (sqlite3_db_readonly(handle, "main") == 1) raise(SQLITE_READONLY);
  constexpr std::chrono::milliseconds kMost{std::numeric_limits<int>::max()};
  sqlite3_busy_timeout(handle, static_cast<int>(std::clamp(lock_wait, std::chrono::milliseconds{0}, kMost).count()));
  // The file may come from elsewhere: its schema must not run functions, and nothing may write to SQLite's own tables.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  execute("PRAGMA foreign_keys = ON");
  use_wal();
  execute(purpose_.every_commit_synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  // KiB, taken as needed. Ids are random, so inserts and scans by id touch pages all over; 64 MiB hold most of a
  // catalog of 100,000 videos (86 MB).
  execute("PRAGMA cache_size = -65536");
}

// Turning WAL on takes a lock for which SQLite does not always wait by itself.
void Database::use_wal() {
  constexpr std::chrono::milliseconds kPause{10};
  const auto deadline = std::chrono::steady_clock::now() + lock_wait_;
  for (;;) {
    const int result = sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (result == SQLITE_OK) return;
    if ((result & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) raise(result);
    std::this_thread::sleep_for(kPause);
  }
}

void Database::raise(int result) const {
  const auto [code, advice] = meaning_of(result);
  const char* said = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(result);
  // The handle has the words of its last call only.
  if (handle_ && sqlite3_extended_errcode(handle_.get()) != result) said = sqlite3_errstr(result);
  std::string message = purpose_.name;
  message.append(" '").append(path_.string()).append("': ").append(said).append(advice);
  if (code == Code::corrupt) {
    message += "; " + ((result & 0xFF) == SQLITE_NOTADB ? purpose_.when_foreign : purpose_.when_damaged);
  }
  throw Exception(code, message);
}

void Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) raise(result);
}

sqlite3_stmt* Database::prepare(const std::string& sql) {
  auto& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) raise(result);
    kept.reset(statement);
  }
  return kept.get();
}

void Database::roll_back() {
  // Some failures roll back by themselves.
  if (sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Query Database::query_with(const std::string& sql, std::span<const std::string> values) {
  Query run(*this, prepare(sql));
  int n = 0;
  for (const auto& value : values) run.bind(++n, value);
  return run;
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() { database_.roll_back(); }

void Transaction::commit() { database_.execute("COMMIT"); }

Snapshot::Snapshot(Database& database) : database_(database) { database_.execute("BEGIN"); }

Snapshot::~Snapshot() { database_.roll_back(); }

}  // namespace reeltag::catalog

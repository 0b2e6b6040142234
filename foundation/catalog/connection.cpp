#include "connection.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "migrations.hpp"
#include "reeltag/sql/postgres.hpp"
#include "reeltag/sql/sqlite.hpp"

namespace reeltag::catalog {
namespace {

constexpr std::string_view kScheme = "sqlite://";
constexpr std::string_view kAccepted =
    "use a file path, sqlite:///absolute/path or postgresql://USER@HOST:PORT/DATABASE";

std::filesystem::path path_of(const std::string& location) {
  std::string path = location;
  if (location.starts_with(kScheme)) {
    path.erase(0, kScheme.size());
    if (!path.starts_with('/')) {
      throw Exception(Code::invalid_argument,
                      "catalog URL '" + location + "': the path is not absolute; " + std::string(kAccepted));
    }
  } else if (const auto end = location.find("://"); end != std::string::npos && location.find('/') > end) {
    // Does not repeat the rest of the URL, which may contain a password.
    throw Exception(Code::unsupported, "catalog URL '" + location.substr(0, end) +
                                           "://...': this kind of database is "
                                           "not supported; " +
                                           std::string(kAccepted));
  }
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw Exception(Code::invalid_argument, "the catalog's location is empty or no path; " + std::string(kAccepted));
  }
  return std::filesystem::absolute(path).lexically_normal();
}

std::unique_ptr<Database> open_database(const std::string& location, const Options& options) {
  if (!std::isfinite(options.lock_wait) || options.lock_wait < 0) {
    throw Exception(Code::invalid_argument, "lock_wait must be a number of seconds, not negative");
  }
  constexpr double kDay = 86'400.0;  // longer means forever, and must not overflow
  const std::chrono::duration<double> wait{std::min(options.lock_wait, kDay)};
  const auto lock_wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait);
  if (sql::is_postgres_url(location)) return std::make_unique<sql::PostgresDatabase>(location, lock_wait);
  return std::make_unique<sql::SqliteDatabase>(path_of(location), lock_wait);
}

}  // namespace

void check_location(const std::string& location) {
  if (sql::is_postgres_url(location)) {
    sql::check_postgres_url(location);
  } else {
    path_of(location);
  }
}

std::shared_ptr<Connection> connect(std::unique_ptr<sql::Database> database) {
  sql::migrate(*database, migrations());
  return std::make_shared<Connection>(std::move(database));
}

std::shared_ptr<Connection> connect(const std::string& location, const Options& options) {
  return connect(open_database(location, options));
}

}  // namespace reeltag::catalog

// The connection to the catalog's database, which the tables share. A Connection is thread-safe: its tables take turns.
// It owns the database.
//
//   const auto connection = catalog::connect(home / "catalog.db");
//   catalog::Jobs jobs(connection);
#pragma once

#include <memory>
#include <string>

namespace reeltag::sql {
class Database;
}

namespace reeltag::catalog {

struct Options {
  double lock_wait = 10.0;  // seconds
};
template <class V>
void visit(V& v, Options& o) {
  v("lock_wait", o.lock_wait, "Longest wait in seconds for another process that is writing to the catalog");
}

// Throws for a location that connect() would refuse without accessing it: invalid_argument if it cannot be parsed or
// contains a password, unsupported for other schemes.
void check_location(const std::string& location);

class Connection;

// Opens a database, creating and migrating it as needed. location: a file path, sqlite:///absolute/path (not
// percent-encoded), or postgresql://USER@HOST:PORT/DATABASE?..., with the password from PGPASSFILE, ~/.pgpass or
// PGPASSWORD, as read by libpq. A catalog of a newer reeltag: unsupported. On PostgreSQL the next call re-establishes a
// lost connection.
std::shared_ptr<Connection> connect(const std::string& location, const Options& options = {});
// The same on a database that is open already.
std::shared_ptr<Connection> connect(std::unique_ptr<sql::Database> database);

}  // namespace reeltag::catalog

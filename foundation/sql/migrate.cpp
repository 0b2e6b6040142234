#include "reeltag/sql/migrate.hpp"

#include <chrono>
#include <utility>

#include "dialect.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::sql {
namespace {

std::string in_dialect(const Database& database, const Migration& migration) {
  std::string sql;
  std::string_view rest = migration.sql;
  for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    sql += rest.substr(0, open);
    rest.remove_prefix(open + 1);
    const std::string_view name = rest.substr(0, rest.find('}'));
    bool known = false;
    for (const auto& [ours, theirs] : database.dialect().types) {
      if (ours == name) sql += theirs;
      known = known || ours == name;
    }
    if (!known || name.size() == rest.size()) {
      throw Exception(Code::internal,
                      "migration " + std::string(migration.name) + ": unknown type {" + std::string(name));
    }
    rest.remove_prefix(name.size() + 1);
  }
  return sql.append(rest);
}

std::int64_t number(Database& database, std::string_view sql) {
  auto query = database.query(std::string(sql));
  return query.step() ? query.integer(0) : 0;
}

bool is_catalog(Database& database) { return number(database, database.dialect().is_catalog) != 0; }

// The number of known migrations that the catalog has.
std::size_t applied(Database& database, std::span<const Migration> known) {
  const std::string catalog = database.name();
  auto query = database.query("SELECT version, name, checksum FROM schema_migration ORDER BY version");
  std::size_t count = 0;
  while (query.step()) {
    const auto version = query.integer(0);
    if (version > static_cast<std::int64_t>(known.size())) {
      throw Exception(Code::unsupported, catalog + " has the migration " + query.text(1) +
                                             ", which this program does not know; use a newer reeltag");
    }
    if (version != static_cast<std::int64_t>(count) + 1) {
      throw Exception(Code::corrupt,
                      catalog + " lacks migration number " + std::to_string(count + 1) + "; restore it from a backup");
    }
    const Migration& ours = known[count];
    if (query.text_view(1) != ours.name || query.text_view(2) != ours.checksum) {
      throw Exception(Code::corrupt, catalog + " was made by the migration " + query.text(1) + " with checksum " +
                                         query.text(2) + ", this program has " + std::string(ours.name) + " with " +
                                         std::string(ours.checksum) + "; use the reeltag that made it");
    }
    ++count;
  }
  return count;
}

// Turns an empty database into a catalog without tables.
void found(Database& database) {
  constexpr Migration kRecords{0, "schema_migration", "",
                               "CREATE TABLE schema_migration (version {int64} PRIMARY KEY, name {text} NOT NULL, "
                               "checksum {text} NOT NULL, applied {int64} NOT NULL) {table}"};
  Transaction transaction(database);
  if (is_catalog(database)) return;  // another process was faster
  if (number(database, database.dialect().count_tables) != 0) {
    throw Exception(Code::invalid_argument, database.name() + ": this is a database of another program; " +
                                                std::string(database.dialect().elsewhere));
  }
  database.execute(in_dialect(database, kRecords));
  database.execute(std::string(database.dialect().mark));
  transaction.commit();
}

void apply_next(Database& database, std::span<const Migration> known) {
  Transaction transaction(database);
  const std::size_t next = applied(database, known);
  if (next == known.size()) return;  // another process was faster
  const Migration& migration = known[next];
  database.execute(in_dialect(database, migration));
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  database
      .query("INSERT INTO schema_migration (version, name, checksum, applied) VALUES ($1, $2, $3, $4)",
             migration.version, migration.name, migration.checksum, std::int64_t{now})
      .step();
  transaction.commit();
}

}  // namespace

void migrate(Database& database, std::span<const Migration> known) {
  if (!is_catalog(database)) found(database);
  while (applied(database, known) < known.size()) apply_next(database, known);
}

}  // namespace reeltag::sql

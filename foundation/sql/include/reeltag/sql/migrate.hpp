// Migrates a database's schema to the version that this program knows. One thread per database. Failures throw.
//
//   migrate(database, migrations());
//
// A migration is a numbered SQL file, sql/NNNN_name.sql. Each is applied once, in a transaction, and recorded with its
// checksum in the table schema_migration. The SQL is in the common subset of the dialects; {name} stands for a
// dialect's type. The checksum is that of the file, so it is the same in every dialect.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "reeltag/sql.hpp"

namespace reeltag::sql {

struct Migration {
  int version;  // from 1, without gaps
  std::string_view name;
  std::string_view checksum;  // SHA-256 of the file in hex digits
  std::string_view sql;
};

// Applies the missing migrations; several processes may do so at once. Throws invalid_argument for a database of
// another program, unsupported if the catalog is newer than the known migrations, corrupt if a known migration was
// applied with a different text.
void migrate(Database& database, std::span<const Migration> known);

}  // namespace reeltag::sql

// Brings a database's tables to the form that this program knows. One thread.
//
// A migration is a numbered SQL text, sql/NNNN_name.sql. Each is applied once, in a transaction, and recorded with its
// checksum in the table schema_migration. Texts are in the common subset of SQL dialects; {name} stands for a dialect's
// type. The checksum is that of the file, so it is the same in every dialect.
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

// Applies what is missing; several processes may do so at once. Throws invalid_argument when it is some other
// program's database, unsupported when the catalog is newer than known, corrupt when it was made by another text of a
// known migration.
void migrate(Database& database, std::span<const Migration> known);

}  // namespace reeltag::sql

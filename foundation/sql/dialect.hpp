// Where SQLite and PostgreSQL part: what migrations need to know. Private to sql.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace reeltag::sql {

struct Dialect {
  // What the types in braces are called, see sql/0001_init.sql.
  std::span<const std::pair<std::string_view, std::string_view>> types;
  // One row with a number: 0 when the database is not marked as a catalog.
  std::string_view is_catalog;
  // One row with a number: how many tables and the like there are.
  std::string_view count_tables;
  // Marks the database, which has the table schema_migration, as a catalog.
  std::string_view mark;
  // What to do about a database of another program.
  std::string_view elsewhere;
};

}  // namespace reeltag::sql

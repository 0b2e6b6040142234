// The differences between SQLite and PostgreSQL that migrations need. Private to sql. Constants; any thread.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace reeltag::sql {

struct Dialect {
  // The dialect's names for the types in braces, see sql/0001_init.sql.
  std::span<const std::pair<std::string_view, std::string_view>> types;
  // Returns one row with a number: 0 if the database is not marked as a catalog.
  std::string_view is_catalog;
  // Returns one row with a number: how many tables and similar objects exist.
  std::string_view count_tables;
  // Marks the database, which has the table schema_migration, as a catalog.
  std::string_view mark;
  // Advice for the error about another program's database.
  std::string_view elsewhere;
};

}  // namespace reeltag::sql

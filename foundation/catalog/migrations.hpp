// The catalog's migrations (sql/NNNN_name.sql), compiled into the program. Private to the catalog.
#pragma once

#include <span>

#include "reeltag/sql/migrate.hpp"

namespace reeltag::catalog {

// Ascending.
std::span<const sql::Migration> migrations();

}  // namespace reeltag::catalog

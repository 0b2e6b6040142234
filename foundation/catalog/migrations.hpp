// The catalog's migrations (sql/NNNN_name.sql), compiled into the program. Constants; any thread. Private to the
// catalog.
#pragma once

#include <span>

#include "reeltag/sql/migrate.hpp"

namespace reeltag::catalog {

// In ascending order of version.
std::span<const sql::Migration> migrations();

}  // namespace reeltag::catalog

// Imports the names of reeltag/sql.hpp. Private to the catalog.
#pragma once

#include "reeltag/sql.hpp"

namespace reeltag::catalog {

using sql::Database;
using sql::Query;
using sql::Snapshot;
using sql::Statement;
using sql::Transaction;

}  // namespace reeltag::catalog

// The PostgreSQL server shared by the catalog's tests.
#pragma once

#include "postgres_server.hpp"

namespace reeltag::catalog {

inline test::PostgresServer& postgres_server() {
  static test::PostgresServer server;
  return server;
}

}  // namespace reeltag::catalog

// What PostgreSQL's errors mean, and what to do about them. Private to sql.
#pragma once

#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

struct pg_conn;

namespace reeltag::sql {

// An error of a statement: SQLSTATE and the server's words. name: what the database is called.
Error failure_of(const std::string& name, std::string_view sqlstate, std::string_view said);

// Why there is no connection.
Error connect_failure(const std::string& name, const pg_conn* connection);

// libpq's words in one line.
std::string one_line(std::string_view said);

}  // namespace reeltag::sql

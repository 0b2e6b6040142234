// Translates PostgreSQL errors to Error with advice. Private to sql. Functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

struct pg_conn;

namespace reeltag::sql {

// An error of a statement. said: the server's message; name: the database's name in messages.
Error failure_of(const std::string& name, std::string_view sqlstate, std::string_view said);

// The reason why the connection failed.
Error connect_failure(const std::string& name, const pg_conn* connection);

// libpq's message as one line.
std::string one_line(std::string_view said);

}  // namespace reeltag::sql

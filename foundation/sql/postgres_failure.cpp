#include "postgres_failure.hpp"

#include <libpq-fe.h>

namespace reeltag::sql {
namespace {

struct Meaning {
  std::string_view state;  // prefix of SQLSTATE
  Code code;
  std::string_view advice;
};

// The first match applies. Source: PostgreSQL's documentation, appendix A.
constexpr Meaning kMeanings[] = {
    {"55P03", Code::unavailable, "another process is writing to it, try again when that has ended"},
    {"40", Code::unavailable, "other processes were in the way, nothing was changed; try again"},
    {"53100", Code::unavailable, "free some space on the server, nothing was changed"},
    {"53300", Code::unavailable, "the server has no connection left; close some, or raise its max_connections"},
    {"53", Code::unavailable, "the server is short of something, nothing was changed"},
    {"08", Code::unavailable, "the connection failed; try again"},
    {"57014", Code::timeout, "the server stopped it; raise its statement_timeout"},
    {"57P", Code::unavailable, "the server is stopping or starting; try again"},
    {"58", Code::unavailable, "see the server's log"},
    {"28", Code::permission_denied, "check the user, and the password in PGPASSFILE or PGPASSWORD"},
    {"42501", Code::permission_denied, "grant the user the right to create and change tables in the database's schema"},
    {"25006", Code::permission_denied, "the server only reads (a replica?); name the one that is written to"},
    {"3F000", Code::invalid_argument, "there is no such schema; create it, or correct search_path"},
    {"54", Code::too_large, ""},
    {"XX001", Code::corrupt, "restore it from a backup"},
    {"XX002", Code::corrupt, "an index is damaged; REINDEX it"},
};

Error error_of(Code code, const std::string& name, std::string_view said, std::string_view advice) {
  std::string message = name + ": " + one_line(said);
  if (!advice.empty()) message.append("; ").append(advice);
  return {code, message};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

std::string one_line(std::string_view said) {
  std::string line;
  for (const char c : said) {
    const bool space = c == '\n' || c == '\t';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

Error failure_of(const std::string& name, std::string_view sqlstate, std::string_view said) {
  for (const auto& [state, code, advice] : kMeanings) {
    if (sqlstate.starts_with(state)) return error_of(code, name, said, advice);
  }
  return error_of(Code::internal, name, said, "");
}

// libpq gives no SQLSTATE for a refused connection, only a message, which a server may translate: the codes for
// passwords do not depend on it.
Error connect_failure(const std::string& name, const PGconn* connection) {
  const std::string_view said = PQerrorMessage(connection);
  if (PQconnectionNeedsPassword(connection) != 0) {
    return error_of(Code::permission_denied, name, said,
                    "give the password in the file that PGPASSFILE names (or ~/.pgpass), or in PGPASSWORD");
  }
  if (has(said, "database") && has(said, "does not exist")) {
    return error_of(Code::not_found, name, said, "create it: createdb --encoding=UTF8 --template=template0 NAME");
  }
  if (PQconnectionUsedPassword(connection) != 0 || has(said, "authentication failed") || has(said, "pg_hba.conf")) {
    return error_of(Code::permission_denied, name, said,
                    "check the user, and the password in PGPASSFILE or PGPASSWORD");
  }
  return error_of(Code::unavailable, name, said, "is the server running, and are host and port right?");
}

}  // namespace reeltag::sql

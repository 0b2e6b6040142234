#include "reeltag/sql.hpp"

namespace reeltag::sql {

Query Database::query_with(const std::string& sql, std::span<const std::string> values) {
  Query run(prepare(sql));
  int n = 0;
  for (const auto& value : values) run.bind(++n, value);
  return run;
}

Query Database::stream_with(const std::string& sql, std::span<const std::string> values) {
  auto& statement = prepare(sql);
  Query run(statement);
  int n = 0;
  for (const auto& value : values) run.bind(++n, value);
  statement.stream();
  return run;
}

}  // namespace reeltag::sql

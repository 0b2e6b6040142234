// Checks that the video of a statement exists. Private to the catalog.
#pragma once

#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

// Throws not_found if the statement returned no row, because the video that it refers to is not in the catalog.
inline void must_exist(Query query, std::string_view video) {
  if (!query.step()) throw Exception(Code::not_found, "there is no video " + std::string(video));
}

}  // namespace reeltag::catalog

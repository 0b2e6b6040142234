// Computes and validates the names of tombstones. Private to the catalog; functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "reeltag/catalog/rows.hpp"

namespace reeltag::catalog {

std::string_view kind_name(Forgettable kind);

// SHA-256 of salt, kind and value as hex digits.
std::string tombstone_name(std::string_view salt, Forgettable kind, std::string_view value);

// 32 random bytes as hex digits.
std::string random_salt();

// Throws invalid_argument unless the value is valid for its kind.
void check_forgettable(Forgettable kind, std::string_view value);

inline std::string post_name(std::string_view site, std::string_view id) {
  return std::string(site).append(":").append(id);
}

}  // namespace reeltag::catalog

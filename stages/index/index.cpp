#include "reeltag/index.hpp"

#include <filesystem>

#include "sqlite_index.hpp"

namespace reeltag::index {

std::unique_ptr<Index> open(const std::string& location, Missing missing) {
  if (location.empty() || location.find('\0') != std::string::npos) {
    throw Exception(Code::invalid_argument, "the index's location is empty or no path; use a file path");
  }
  // A URL may hold a password and is not repeated whole.
  if (const auto end = location.find("://"); end != std::string::npos && location.find('/') > end) {
    throw Exception(Code::unsupported, "index URL '" + location.substr(0, end) +
                                           "://...': this kind of database is not supported; use a file path");
  }
  const auto path = std::filesystem::absolute(location).lexically_normal();
  std::error_code error;
  if (missing == Missing::refuse && !std::filesystem::exists(path, error)) {
    throw Exception(Code::not_found, "there is no index at " + path.string() +
                                         " yet; make one with: reeltag index build, or reeltag index add FILE");
  }
  return std::make_unique<SqliteIndex>(path);
}

}  // namespace reeltag::index

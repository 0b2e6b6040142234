// The datasets that stand in one root.
#include <algorithm>
#include <system_error>

#include "format.hpp"

namespace reeltag::dataset {
namespace {

namespace fs = std::filesystem;

bool is_hex(const std::string& text) { return text.find_first_not_of("0123456789abcdef") == std::string::npos; }

std::vector<std::string> ids_in(const fs::path& root) {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    auto name = it->path().filename().string();
    if (name.size() == 16 && is_hex(name)) ids.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Exception(Code::permission_denied, "cannot read " + root.string() + ": " + error.message());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string newest(const fs::path& root) {
  for (const auto& entry : list(root)) {
    if (entry) return entry->id;
  }
  throw Exception(Code::not_found, "no dataset in " + root.string() + ": make one with `reeltag dataset freeze`");
}

std::string resolve(const fs::path& root, const std::string& id) {
  if (id.empty()) return newest(root);
  std::vector<std::string> fitting;
  for (auto& one : ids_in(root)) {
    if (one.starts_with(id)) fitting.push_back(std::move(one));
  }
  if (fitting.empty()) {
    throw Exception(Code::not_found,
                    "no dataset " + id + " in " + root.string() + "; `reeltag dataset list` shows them");
  }
  if (fitting.size() > 1)
    throw Exception(Code::invalid_argument, "dataset " + id + " may be " + fitting[0] + " or " + fitting[1]);
  return fitting[0];
}

}  // namespace

std::vector<Result<Summary>> list(const fs::path& root) {
  std::vector<Result<Summary>> result;
  for (const auto& id : ids_in(root)) result.push_back(decode_summary(root / id));
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return (a ? a->created : INT64_MIN) > (b ? b->created : INT64_MIN);
  });
  return result;
}

Dataset load(const fs::path& root, const std::string& id) { return decode(root / resolve(root, id)); }

}  // namespace reeltag::dataset

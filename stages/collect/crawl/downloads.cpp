#include <set>
#include <system_error>

#include "reeltag/base/ids.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

namespace fs = std::filesystem;

std::string download_name(const std::string& post_id) { return content_id(post_id); }

std::int64_t remove_downloads(const fs::path& home, const catalog::TombstoneSet& tombstones) {
  std::set<fs::path> downloads;
  std::error_code error;
  fs::recursive_directory_iterator it(home / "collect", error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    // Matches the file itself and the partial files .part and .json.
    const auto name = it->path().stem().string();
    if (tombstones.holds(catalog::Forgettable::download, name)) downloads.insert(it->path().parent_path() / name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Exception(Code::permission_denied, "cannot read " + (home / "collect").string() + ": " + error.message());
  }
  for (const auto& path : downloads) http::remove_download(path);
  return static_cast<std::int64_t>(downloads.size());
}

}  // namespace reeltag::collect

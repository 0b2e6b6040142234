#include <algorithm>
#include <optional>
#include <system_error>

#include "import/info_json.hpp"
#include "import/manifest.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// The direct entries of a folder, sorted by name, without hidden ones.
std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> result;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!hidden(it->path())) result.push_back(*it);
  }
  if (error)
    throw Exception(Code::permission_denied, "cannot read the folder " + folder.string() + ": " + error.message());
  std::sort(result.begin(), result.end());
  drop_companions(result);
  return result;
}

// The entry of a video file with its info file, or of an info file without a video.
Entry entry_of_file(const fs::path& file, const std::vector<std::string>& hashtags) {
  Candidate c;
  c.file = file;
  c.hashtags = hashtags;
  const auto info = is_info_json(file) ? std::optional(file) : info_json_of(file);
  if (!info) return {file.string(), std::move(c)};
  if (is_info_json(file)) c.file = video_of_info(file);
  const auto path = c.file.empty() ? file.string() : c.file.string();
  if (auto read = read_info_json(*info, c); !read) return {path, tl::unexpected(read.error())};
  return {path, std::move(c)};
}

// Does not follow links to folders below the named folder: they may form a cycle.
void add_files(const fs::path& folder, const std::vector<std::string>& hashtags, std::vector<Entry>& entries) {
  for (const auto& entry : sorted_entries(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) {
      add_files(entry.path(), hashtags, entries);
    } else if (!entry.is_directory()) {
      entries.push_back(entry_of_file(entry.path(), hashtags));
    }
  }
}

std::vector<Entry> list_label_folders(const fs::path& folder) {
  std::vector<Entry> entries;
  for (const auto& entry : sorted_entries(folder)) {
    if (entry.is_directory()) {
      const std::string label = entry.path().filename().string();
      add_files(entry.path(), hashtag::normalize_all({&label, 1}), entries);
    } else {
      entries.push_back(entry_of_file(entry.path(), {}));
    }
  }
  return entries;
}

bool is_manifest(const fs::path& path) { return path.extension() == ".jsonl" || path.extension() == ".csv"; }

}  // namespace

std::vector<Entry> list_path(const fs::path& path) {
  if (path.empty())
    throw Exception(Code::invalid_argument, "import: an empty path; name a folder, a manifest or a video");
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw Exception(Code::not_found, "import: " + path.string() + " is not there");
  if (fs::is_directory(status)) {
    if (fs::exists(path / "manifest.jsonl", error)) return read_manifest(path / "manifest.jsonl");
    auto entries = list_label_folders(path);
    if (entries.empty()) throw Exception(Code::not_found, "import: " + path.string() + " holds no files");
    return entries;
  }
  if (is_manifest(path)) return read_manifest(path);
  std::vector<Entry> entries;
  entries.push_back(entry_of_file(path, {}));
  return entries;
}

}  // namespace reeltag::collect

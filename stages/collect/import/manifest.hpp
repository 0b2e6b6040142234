// What is to be imported, before any file is opened: from manifests, label folders and single files.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::collect {

class RemoteFolder;

struct Candidate {
  std::filesystem::path file;  // empty: only what is said of the video is there
  std::string source_id, group, caption;
  std::string author;                 // the name as given; hashed before it is stored
  std::vector<std::string> hashtags;  // normalised
  std::optional<std::int64_t> created;
  std::string attributes = "{}";
  bool group_by_author = false;               // where no group is given
  std::string site = {};                      // whose id source_id is, "tiktok"; empty: nobody's
  std::shared_ptr<RemoteFolder> remote = {};  // where file only stands for an object of a store
};

// A candidate, or why there is none and for what.
struct Entry {
  std::string path;  // of the file where it is known, else "manifest.jsonl:12"
  Result<Candidate> candidate;
};

// The entries of a .jsonl or .csv manifest, in order; one for each line that is not empty. Throws when the manifest
// itself cannot be read, or a CSV has neither a column `file` nor `id`.
std::vector<Entry> read_manifest(const std::filesystem::path& manifest);

// A manifest row that is already JSON; base is the manifest's folder, origin ("m.jsonl:3") names the row in messages.
Entry entry_of_row(const nlohmann::json& row, const std::filesystem::path& base, const std::string& origin);

// base / file when it stays inside base, links followed; else permission_denied.
Result<std::filesystem::path> inside(const std::filesystem::path& base, const std::string& file);

// The entries of what a user named on the command line (see import_paths). Throws not_found, invalid_argument.
std::vector<Entry> list_path(const std::filesystem::path& path);

}  // namespace reeltag::collect

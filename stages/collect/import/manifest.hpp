// Lists what to import, before any media file is opened: from manifests, label folders and single files. Functions and
// values, any thread. A bad row is an Entry with an Error.
//
//   for (auto& entry : list_path("clips")) if (entry.candidate) ...
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
  std::filesystem::path file;  // empty: metadata only
  std::string source_id, group, caption;
  std::string author;                 // as given; hashed before it is stored
  std::vector<std::string> hashtags;  // normalized
  std::optional<std::int64_t> created;
  std::string attributes = "{}";
  bool group_by_author = false;               // if no group is given
  std::string site = {};                      // the site that issued source_id, "tiktok"; empty: none
  std::shared_ptr<RemoteFolder> remote = {};  // if file stands for an object of a store
};

// A candidate, or the error and the row or file it concerns.
struct Entry {
  std::string path;  // of the file if known, else "manifest.jsonl:12"
  Result<Candidate> candidate;
};

// The entries of a .jsonl or .csv manifest, in order; one per non-empty line. Throws if the manifest itself cannot be
// read, or a CSV has neither a column `file` nor `id`.
std::vector<Entry> read_manifest(const std::filesystem::path& manifest);

// An entry from a parsed manifest row; base is the manifest's folder, origin ("m.jsonl:3") names the row in messages.
Entry entry_of_row(const nlohmann::json& row, const std::filesystem::path& base, const std::string& origin);

// base / file if it stays inside base after resolving links; else permission_denied.
Result<std::filesystem::path> inside(const std::filesystem::path& base, const std::string& file);

// The entries of a path from the command line (see import_paths). Throws not_found, invalid_argument.
std::vector<Entry> list_path(const std::filesystem::path& path);

}  // namespace reeltag::collect

// Lists what to import, before any media file is opened: from manifests, lists of paths, label folders and single
// files. Functions and values, any thread. A bad row is an Entry with an Error.
//
//   for (auto& entry : list_path("clips").entries) if (entry.candidate) ...
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::collect {

class RemoteFolder;

struct Candidate {
  std::filesystem::path file;  // empty: metadata only
  std::string source_id, group, caption;
  std::string author;                 // as given; hashed before it is stored
  std::vector<std::string> hashtags;  // normalized
  std::optional<std::int64_t> created;
  std::string attributes = "{}";
  bool group_by_author = false;  // if no group is given
  std::string site = {};         // the site that issued source_id, "tiktok"; empty: none
  std::string source = {};       // of a given split: "train", "val", "test"; empty: ImportOptions::source
  std::string unread_date = {};  // a date that could not be read, as given
  bool may_be_other = false;     // found in a folder, by a name that is no video's: passed over if it is none
  std::shared_ptr<RemoteFolder> remote = {};  // if file stands for an object of a store
};

// A candidate, or the error and the row or file it concerns.
struct Entry {
  std::string path;  // of the file if known, else "manifest.jsonl:12"
  Result<Candidate> candidate;
};

struct ImportList {
  std::vector<Entry> entries;
  std::vector<std::string> passed_over = {};  // files that are not read: thumbnails, videos that no row names
  std::vector<std::string> notes = {};        // how the input was understood; sentences for people
};

struct ListOptions {
  LabelsFrom labels_from = LabelsFrom::automatic;
  std::vector<std::filesystem::path> allowed = {};  // folders outside of the manifest's that its paths may name
};

// The entries of a manifest, in order: .jsonl; or a table with a line of column names (.csv, .tsv, .txt; comma,
// semicolon or tab; UTF-8 or UTF-16); or a list of "path label" lines (path_list.hpp). Throws if the manifest itself
// cannot be read, or a table has neither a column for the file nor one for the id.
ImportList read_manifest(const std::filesystem::path& manifest, const ListOptions& options = {});

// Whether a file named on the command line is read as a manifest, by its ending.
bool is_manifest(const std::filesystem::path& file);

// An entry from a parsed manifest row; base is the manifest's folder, origin ("m.jsonl:3") names the row in messages.
Entry entry_of_row(const nlohmann::json& row, const std::filesystem::path& base, const std::string& origin,
                   const ListOptions& options = {});

// base / file if it stays inside base, or inside one of the allowed folders, after resolving links; else
// permission_denied.
Result<std::filesystem::path> inside(const std::filesystem::path& base, const std::string& file,
                                     const std::vector<std::filesystem::path>& allowed = {});

// "train", "val" or "test" for the usual names of these splits, in any case; nothing for other texts.
std::optional<std::string> split_of(std::string_view name);

// The entries of a path from the command line (see import_paths). Throws not_found, invalid_argument.
ImportList list_path(const std::filesystem::path& path, const ListOptions& options = {});

// Whether a folder's file of this name is read to list its videos, or to name their classes.
bool is_list_name(const std::filesystem::path& file);

}  // namespace reeltag::collect

// Imports videos from folders and manifests, local or in an object store, into the store and the catalog.
// Thread-safe as far as the catalog and the store are. Owns nothing after the call.
// A bad file or manifest line is counted with its reason and the run continues; a path that is missing or empty, and a
// lost store or catalog, throw Exception.
// A killed run loses nothing that it counted: the bytes are in the store before the row is in the catalog. A second run
// skips what is already there.
//
//   auto report = collect::import_paths(paths, {.salt_file = home / "author.salt"}, *catalog, *store, limits);
//   std::cout << collect::to_json(report) << "\n";
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::collect {

// Which folder's name is the label of a video in a folder.
enum class LabelsFrom {
  automatic,  // as top; a set's folders train, val and test are sources, and what only wraps a set is looked through
  top,        // the sub-folder of the named folder
  parent,     // the folder that the video lies in
  none,
};

struct ImportOptions {
  std::string source = "import";         // the catalog's `source` of the videos, unless the input gives their split
  std::filesystem::path salt_file = {};  // created at the first author, readable by this user only
  int jobs = 0;                          // threads that hash and decode; 0: one per processor
  LabelsFrom labels_from = LabelsFrom::automatic;
  std::vector<std::filesystem::path> allowed = {};  // folders outside of a manifest's that its paths may name
  store::Options remote = {};                       // for paths that are object store URLs; its url is not read
  std::stop_token stop = {};                        // ends the run between two videos with Exception (interrupted)
};

struct RejectedFile {
  std::string path;  // the file, or "manifest.jsonl:12" for a line without one
  Error reason;
};

struct ImportReport {
  std::int64_t added = 0;                     // new videos, and new posts without a video
  std::int64_t metadata_only = 0;             // of these, posts without a video
  std::int64_t duplicate = 0;                 // the catalog already had the same bytes or the same post
  std::vector<RejectedFile> rejected;         // in the order of the input
  std::vector<std::string> passed_over = {};  // files in folders that are no videos, or that no row names
  std::vector<std::string> notes = {};        // how the input was understood; sentences for people
};

// done of total items; called from the caller's thread.
using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Each path is one of
// - a manifest: .jsonl, or a table with a line of column names (.csv, .tsv, .txt), or a list of "path label" lines as
//   PySlowFast's and Kinetics' (docs/adr/0041-import-formats.md),
// - a folder with manifest.jsonl|csv|tsv or metadata.jsonl|csv, or with lists train.csv, val.csv, test.csv,
// - a folder of label folders: a folder's name is the hashtag of all files in and below it; files beside the label
//   folders get no hashtag. Label folders in train, val and test folders give the videos these sources,
// - a video file. A `name.info.json` beside `name.mp4` (yt-dlp's --write-info-json) gives the file id, author, caption,
//   date and the caption's hashtags; other files that yt-dlp wrote under that name are passed over.
// - an object store URL, s3://bucket/prefix?..., for the same layouts there. Each object is fetched to a temporary file
//   and decoded as untrusted input.
// A manifest row with an id and no video, and an .info.json without a video, become metadata-only posts. A video
// without a group is a group of its own. A video counts only after it was probed and its middle frame decoded. A file
// in a folder that neither ends as a video nor is one is passed over.
ImportReport import_paths(std::span<const std::filesystem::path> paths, const ImportOptions& options,
                          catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                          const OnProgress& progress = nullptr);

// {"added":n,"duplicate":n,"rejected":[{"path":"...","reason":"not_a_video: ..."}]}; with "metadata_only":n if not 0,
// and with "passed_over":["..."] and "notes":["..."] if there are any.
std::string to_json(const ImportReport& report);

// The form in which the catalog stores an author's name: 64 hexadecimal digits of a salted hash. Throws as
// Authors::hash().
std::string author_hash(const std::filesystem::path& salt_file, std::string_view name);

}  // namespace reeltag::collect

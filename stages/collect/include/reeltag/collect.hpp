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

struct ImportOptions {
  std::string source = "import";         // the catalog's `source` of the videos
  std::filesystem::path salt_file = {};  // created at the first author, readable by this user only
  int jobs = 0;                          // threads that hash and decode; 0: one per processor
  store::Options remote = {};            // for paths that are object store URLs; its url is not read
  std::stop_token stop = {};             // ends the run between two videos with Exception (interrupted)
};

struct RejectedFile {
  std::string path;  // the file, or "manifest.jsonl:12" for a line without one
  Error reason;
};

struct ImportReport {
  std::int64_t added = 0;              // new videos, and new posts without a video
  std::int64_t metadata_only = 0;      // of these, posts without a video
  std::int64_t duplicate = 0;          // the catalog already had the same bytes or the same post
  std::vector<RejectedFile> rejected;  // in the order of the input
};

// done of total items; called from the caller's thread.
using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Each path is one of
// - a folder with manifest.jsonl, or a .jsonl or .csv file of that form (docs/adr/0041-import-formats.md),
// - a folder of label folders: a folder's name is the hashtag of all files in and below it; files beside the label
//   folders get no hashtag,
// - a video file. A `name.info.json` beside `name.mp4` (yt-dlp's --write-info-json) gives the file id, author, caption,
//   date and the caption's hashtags; other files that yt-dlp wrote under that name are skipped.
// - an object store URL, s3://bucket/prefix?..., for the same layouts there. Each object is fetched to a temporary file
//   and decoded as untrusted input.
// A manifest row with an id and no video, and an .info.json without a video, become metadata-only posts. A video
// without a group is a group of its own. A video counts only after it was probed and its middle frame decoded.
ImportReport import_paths(std::span<const std::filesystem::path> paths, const ImportOptions& options,
                          catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                          const OnProgress& progress = nullptr);

// {"added":n,"duplicate":n,"rejected":[{"path":"...","reason":"not_a_video: ..."}]}; with "metadata_only":n if not 0.
std::string to_json(const ImportReport& report);

// The form in which the catalog stores an author's name: 64 hexadecimal digits of a salted hash. Throws as
// Authors::hash().
std::string author_hash(const std::filesystem::path& salt_file, std::string_view name);

}  // namespace reeltag::collect

// Bringing videos in: from folders and manifests, here or in an object store, into the store and the catalog.
// Thread-safe as far as the catalog and the store are. One bad file or manifest line is counted with its reason and the
// run goes on; a path that is missing or holds nothing, a lost store or catalog throw Exception.
// A run that is killed loses nothing that was counted: the bytes are in the store before the row is in the catalog.
// Run again, it passes over what is already there.
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
  std::filesystem::path salt_file = {};  // made when the first author is met, readable by this user only
  int jobs = 0;                          // threads that hash and decode; 0: one for each processor
  store::Options remote = {};            // for paths that are URLs of object stores; its url is not read
  std::stop_token stop = {};             // ends the run between two videos with Exception (interrupted)
};

struct RejectedFile {
  std::string path;  // the file, or "manifest.jsonl:12" for a line that names none
  Error reason;
};

struct ImportReport {
  std::int64_t added = 0;              // new: videos, and posts without one
  std::int64_t metadata_only = 0;      // of these, posts without a video
  std::int64_t duplicate = 0;          // the catalog had the same bytes, or the same post, already
  std::vector<RejectedFile> rejected;  // in the order of the input
};

// done of total items; called from the caller's thread.
using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Each path is
// - a folder that holds manifest.jsonl, or a .jsonl or .csv file of that form (docs/adr/0041-import-formats.md),
// - a folder of label folders: the folder's name is the hashtag of all files in and below it; files beside the label
//   folders come without a hashtag,
// - a video file. A `name.info.json` beside `name.mp4` (yt-dlp's --write-info-json) gives the file id, author, caption,
//   date and the caption's hashtags; what else yt-dlp wrote under that name is passed over.
// - the URL of an object store, s3://bucket/prefix?..., which names the same there. Each object is fetched to a
//   temporary file and decoded as what comes from outside.
// Where no video is there, a manifest's row with an id and a lone .info.json become posts of the catalog: metadata-only
// only. A video without a group is a group of its own. Each file is probed and its middle frame decoded before it
// counts.
ImportReport import_paths(std::span<const std::filesystem::path> paths, const ImportOptions& options,
                          catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                          const OnProgress& progress = nullptr);

// {"added":n,"duplicate":n,"rejected":[{"path":"...","reason":"not_a_video: ..."}]}; "metadata_only":n where it is not
// 0.
std::string to_json(const ImportReport& report);

// What the catalog keeps of an author's name: 64 hexadecimal digits of a salted hash. Throws as the salt file demands.
std::string author_hash(const std::filesystem::path& salt_file, std::string_view name);

}  // namespace reeltag::collect

// Removes what a home must not keep, and checks what it must: finishes forgetting, deletes unreferenced blobs, verifies
// and copies stores. Functions: one thread each; they start threads of their own. Failure: they throw what store,
// catalog and index throw, and interrupted when the process was asked to stop; an item that fails is in the report, and
// the run goes on.
//
//   const auto report = retention::verify_store(home, *store, {.deep = true});
//   const auto swept = retention::sweep(home, *catalog, *store);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/catalog.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/index.hpp"
#include "reeltag/store.hpp"

namespace reeltag::retention {

// What these functions need of a home.
struct Home {
  std::filesystem::path folder;
  std::function<std::unique_ptr<catalog::Catalog>()> open_catalog = {};
  std::function<std::unique_ptr<index::Index>()> open_index = {};  // throws not_found where there is none
};

// --- Forgetting

struct SweepReport {
  std::int64_t blobs = 0;                           // videos, features and whatever else is named by a video
  std::int64_t downloads = 0;                       // begun or whole
  std::int64_t indexed = 0;                         // rows of the index
  std::vector<dataset::RedactedSet> sets = {};      // from which videos were taken out now
  std::vector<std::filesystem::path> reports = {};  // pages that were deleted, figures from which a video was taken
  std::vector<std::pair<std::string, Error>> failed = {};
};
// Removes what has a tombstone from everything that the home holds: store, downloads, datasets, runs, models, index.
// Looks through all of it and asks the tombstones, so it can be killed at any moment and run again. The catalog's rows
// are deleted before (Tombstones::forget); at the end their bytes are too (Catalog::compact).
SweepReport sweep(const Home& home, catalog::Catalog& catalog, store::Store& store);

// A run or a model that learned from a dataset of which something was forgotten, then or now.
struct AffectedModel {
  std::string model, dataset;
  std::int64_t forgotten = 0;  // videos of the dataset
};
std::vector<AffectedModel> affected_models(const std::filesystem::path& home);

// Whether the text has the id of a forgotten video or the hash of a forgotten author.
bool names_forgotten(std::string_view text, const catalog::TombstoneSet& tombstones);

// The part of sweep() for reports and figures of a home's runs and models.
void sweep_runs(const std::filesystem::path& home, const catalog::TombstoneSet& tombstones, SweepReport& report);

// --- Blobs that nothing refers to

struct GcOptions {
  double older_than = 24.0;  // hours since it was written
  bool dry_run = false;      // only reports
  bool everything = false;   // goes on when more than half of the videos would be removed
};
struct GcReport {
  std::vector<store::Blob> removed = {};
  std::int64_t bytes = 0;                                // of them
  std::int64_t young = 0;                                // unreferenced blobs that are not old enough
  std::vector<store::UnfinishedUpload> unfinished = {};  // writes that nobody ended, discarded
  store::Copies copies = {};                             // of an object store's blobs on this machine, dropped
};
// Throws invalid_config where more than half of the videos would be removed and `everything` is not set.
GcReport collect_garbage(const Home& home, store::Store& store, const GcOptions& options);

// --- Verifying

struct BadBlob {
  std::string video, key, what;  // what: "missing", "size", "bytes"
  Error error;
};
struct VerifyReport {
  std::int64_t videos = 0;
  std::vector<BadBlob> bad = {};          // by video
  std::vector<store::Blob> orphans = {};  // that nothing refers to
  std::vector<store::Blob> foreign = {};  // under a name that reeltag does not give
  std::vector<store::UnfinishedUpload> unfinished = {};
};
// Checks that every video of the catalog has its bytes. deep: reads them and compares the SHA-256, else sizes.
VerifyReport verify_store(const Home& home, store::Store& store, bool deep);

// --- Copying to another store

struct MigrateReport {
  std::int64_t blobs = 0, copied = 0, already_there = 0, bytes = 0;
  std::vector<std::pair<std::string, Error>> failed = {};  // by key
};
// Copies every blob and reads it back; the source is not changed. deep: also compares the bytes of what is there
// already. Throws invalid_argument where both are the same store.
MigrateReport migrate_store(store::Store& from, store::Store& to, bool deep);

}  // namespace reeltag::retention

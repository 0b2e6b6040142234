// Removing what tombstones speak of from everything that a home holds. It goes through all of it and asks the
// tombstones, so that it may be killed at any moment and done again, and nobody has to keep a list of what is to be
// forgotten. One thread. Throws what store, catalog and index throw; a file that cannot be gone through is in `failed`.
//
//   const auto swept = sweep(context, *catalog, *store);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "context.hpp"
#include "reeltag/dataset.hpp"

namespace reeltag::app {

struct SweepReport {
  std::int64_t blobs = 0;                           // videos, features and whatever else is named by a video
  std::int64_t downloads = 0;                       // begun or whole
  std::int64_t indexed = 0;                         // rows of the index
  std::vector<dataset::RedactedSet> sets = {};      // from which videos were taken out now
  std::vector<std::filesystem::path> reports = {};  // pages that were deleted, figures from which a video was taken
  std::vector<std::pair<std::string, Error>> failed = {};
};
// The catalog's rows are gone by then (Catalog::forget); at its end their bytes are too.
SweepReport sweep(const Context& context, catalog::Catalog& catalog, store::Store& store);

// A run or an imported model that learned from a dataset of which something was forgotten, then or now.
struct AffectedModel {
  std::string model, dataset;
  std::int64_t forgotten = 0;  // videos of the dataset
};
std::vector<AffectedModel> affected_models(const std::filesystem::path& home);

// Whether the text has the id of a forgotten video or the hash of a forgotten author.
bool names_forgotten(std::string_view text, const catalog::Tombstones& tombstones);

// Reports and figures of the runs of a home.
void sweep_runs(const std::filesystem::path& home, const catalog::Tombstones& tombstones, SweepReport& report);

}  // namespace reeltag::app

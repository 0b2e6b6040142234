// Computes statistics of a frozen dataset, as numbers and as a page with charts: hashtags per video, support,
// co-occurrence, durations, sources, thumbnails. Functions, any thread; plain values.
// Failure: Exception, as the catalog and the file system throw. A video that the catalog or the store has lost is
// counted, and left out of the statistics that need it.
//
//   const auto stats = dataset::stats_of(set, *catalog);
//   dataset::write_report(folder, set, stats, *store, limits);   // report.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/dataset.hpp"
#include "reeltag/media.hpp"

namespace reeltag::dataset {

struct CoOccurrence {
  int a = 0, b = 0;  // indices into the vocabulary
  std::int64_t videos = 0;
  double lift = 0.0;  // factor above independence
};

struct Durations {
  std::int64_t videos = 0;
  double shortest = 0.0, median = 0.0, mean = 0.0, longest = 0.0, total = 0.0;  // seconds
  std::vector<std::int64_t> bins;  // over [0, end); the last one includes all longer ones
  double end = 0.0;
};

struct Stats {
  std::int64_t groups = 0, largest_group = 0;  // number of groups; videos in the largest
  std::vector<std::int64_t> per_video;         // videos with 0, 1, 2 ... hashtags of the vocabulary
  std::vector<std::int64_t> typed;             // the same for all typed hashtags
  std::vector<CoOccurrence> together;          // highest lift first
  Durations durations;
  std::vector<std::pair<std::string, std::int64_t>> sources;  // most videos first, then by name
  std::int64_t unknown = 0;                                   // videos that the catalog does not have
};

Stats stats_of(const Dataset& set, catalog::Catalog& catalog);

// to_json(set) with "stats":{...} and "report": the page's path.
std::string to_json(const Dataset& set, const Stats& stats, const std::filesystem::path& report);

// Writes report.html into the folder, completely or not at all; it needs no other file. Returns its path.
std::filesystem::path write_report(const std::filesystem::path& folder, const Dataset& set, const Stats& stats,
                                   store::Store& store, const media::Limits& limits);

// The middle frame as a JPEG of about 5 kB.
Result<std::string> thumbnail(const Item& item, store::Store& store, const media::Limits& limits);

}  // namespace reeltag::dataset

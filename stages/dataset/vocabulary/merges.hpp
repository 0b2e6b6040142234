// Spellings of one hashtag. A merge that changes a meaning is worse than none, so whatever only looks alike also has to
// behave alike. Thread-safe.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "vocabulary/counts.hpp"

namespace reeltag::dataset {

struct Merges {
  std::map<int, int> into;       // done; nothing that is merged is merged into
  std::vector<Merge> done;       // with their reasons, in the order of Counts
  std::vector<Merge> suggested;  // look alike, but the data does not bear it out, or not enough
};

// fixed: numbers that stay as they are (generic, decided). Kinds, in this order:
// separators and stretched letters (no further evidence asked), accents, pictures at the ends, plural, one letter;
// then hashtags that nearly always stand together. All are merged into the more frequent one.
Merges find_merges(const Counts& counts, const ReviewOptions& options, const std::set<int>& fixed);

}  // namespace reeltag::dataset

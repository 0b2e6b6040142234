// Merges spellings of one hashtag. A merge that changes a meaning is worse than none, so hashtags that look alike must
// also be used alike. Functions and values, any thread. No failures.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "vocabulary/counts.hpp"

namespace reeltag::dataset {

struct Merges {
  std::map<int, int> into;       // applied; a merged hashtag is never a target
  std::vector<Merge> done;       // with reasons, in the order of Counts
  std::vector<Merge> suggested;  // similar in spelling, but not supported by enough data
};

// fixed: numbers that stay as they are (generic, decided). Kinds, in this order: separators and stretched letters (no
// further evidence needed), accents, emoji at the ends, plural, one letter; then hashtags that almost always occur
// together. All are merged into the more frequent one.
Merges find_merges(const Counts& counts, const ReviewOptions& options, const std::set<int>& fixed);

}  // namespace reeltag::dataset

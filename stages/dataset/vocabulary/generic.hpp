// Generic hashtags: they stand everywhere and say nothing. Thread-safe.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "vocabulary/counts.hpp"

namespace reeltag::dataset {

struct Generic {
  std::vector<Companionship> companionship;  // of each hashtag with support, in the order of Counts
  std::vector<std::string> reason;           // of each hashtag, with support or without; empty where it is not generic
  double usual_company = 0.0;                // generic hashtags beside one that is not, of a video on average
  [[nodiscard]] bool has(int hashtag) const { return !reason[static_cast<std::size_t>(hashtag)].empty(); }
};

// Four ways to be generic, in this order; only the first needs nothing else:
// 1. frequent (generic_share of the videos with hashtags, and a hundred), and says less than generic_bits above chance;
// 2. company: nearly never without a generic hashtag, with clearly more of them than usual, and says as little of the
// rest;
// 3. spelling: a playful form of a generic one (fyppp), or put together from generic ones (viral + tiktok), however
//    rare, so that rare forms are not taken for spellings of each other;
// 4. one letter from a generic one, and says as little of the rest.
// kept: numbers that a person wants to keep.
Generic find_generic(const Counts& counts, const ReviewOptions& options, const std::set<int>& kept);

}  // namespace reeltag::dataset

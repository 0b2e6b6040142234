// Finds generic hashtags: frequent ones that say nothing about the video. Functions and values, any thread. No
// failures.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "vocabulary/counts.hpp"

namespace reeltag::dataset {

struct Generic {
  std::vector<Companionship> companionship;  // of each hashtag with support, in the order of Counts
  std::vector<std::string> reason;           // of each hashtag, with support or without; empty if it is not generic
  double usual_company = 0.0;                // mean number of generic hashtags beside a non-generic one, per video
  [[nodiscard]] bool has(int hashtag) const { return !reason[static_cast<std::size_t>(hashtag)].empty(); }
};

// Four criteria, in this order; only the first is independent of other generic hashtags:
// 1. frequency: in generic_share of the videos with hashtags and in at least a hundred, with less than generic_bits
//    above chance;
// 2. company: almost never without a generic hashtag, with clearly more of them than usual, and as little information
//    about the remaining ones;
// 3. spelling: a playful form of a generic one (fyppp), or composed of generic ones (viral + tiktok), however rare, so
//    that rare forms are not taken for spellings of each other;
// 4. one letter away from a generic one, with as little information about the remaining ones.
// kept: numbers that a person wants to keep.
Generic find_generic(const Counts& counts, const ReviewOptions& options, const std::set<int>& kept);

}  // namespace reeltag::dataset

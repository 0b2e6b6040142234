// Indexes typed hashtags by number: the videos of each hashtag and the hashtags of each video. Thread-safe once
// constructed. Owns its data. No failures.
//
//   const Counts counts(rows);
//   counts.support(counts.find("cat"));
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reeltag/dataset/review.hpp"

namespace reeltag::dataset {

// Hashtags are numbered by descending support, then by name: a lower number is never rarer.
struct Counts {
  // known: hashtags that get a number even if nobody typed them.
  explicit Counts(std::span<const TypedHashtags> rows, const std::set<std::string>& known = {});

  std::vector<std::string> names;
  std::unordered_map<std::string_view, int> ids;  // views into names
  std::vector<std::vector<int>> videos;           // distinct hashtags of each video, as typed
  std::vector<std::vector<int>> having;           // videos of each hashtag, ascending
  std::vector<int> group;                         // of each video
  std::int64_t tagged = 0;                        // videos with a hashtag

  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  [[nodiscard]] std::int64_t support(int hashtag) const {
    return static_cast<std::int64_t>(having[static_cast<std::size_t>(hashtag)].size());
  }
  // -1 if nobody typed it.
  [[nodiscard]] int find(std::string_view name) const;
  // How many hashtags have at least `least` videos: these are 0 to n-1.
  [[nodiscard]] int supported(std::int64_t least) const;
  // Number of distinct groups of the videos `of` (ascending).
  [[nodiscard]] std::int64_t groups_of(std::span<const int> of) const;
};

// The intersection of two ascending lists.
std::vector<int> common(std::span<const int> a, std::span<const int> b);

}  // namespace reeltag::dataset

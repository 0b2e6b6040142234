// Typed hashtags as numbers: who stands where, and beside whom. Thread-safe once made.
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

// Hashtags are numbered by support, the most frequent first, then by name: a lower number is never the rarer one.
struct Counts {
  // known: hashtags that get a number though perhaps nobody typed them.
  explicit Counts(std::span<const TypedHashtags> rows, const std::set<std::string>& known = {});

  std::vector<std::string> names;
  std::unordered_map<std::string_view, int> ids;  // views into names
  std::vector<std::vector<int>> videos;           // hashtags of each video as typed, none twice
  std::vector<std::vector<int>> having;           // videos of each hashtag, ascending
  std::vector<int> group;                         // of each video
  std::int64_t tagged = 0;                        // videos with a hashtag

  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  [[nodiscard]] std::int64_t support(int hashtag) const {
    return static_cast<std::int64_t>(having[static_cast<std::size_t>(hashtag)].size());
  }
  // -1 where nobody typed it.
  [[nodiscard]] int find(std::string_view name) const;
  // How many hashtags have at least so many videos: these are 0 to n-1.
  [[nodiscard]] int supported(std::int64_t least) const;
  // Different groups of videos (ascending).
  [[nodiscard]] std::int64_t groups_of(std::span<const int> of) const;
};

// The videos in both lists, ascending as they are.
std::vector<int> common(std::span<const int> a, std::span<const int> b);

}  // namespace reeltag::dataset

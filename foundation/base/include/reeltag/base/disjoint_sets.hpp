// Disjoint sets (union-find) over the indices [0, count); a set's representative is its smallest index. Union by index,
// find with path halving (Tarjan, van Leeuwen 1984). A value; one thread at a time. Indices are not checked.
//
//   DisjointSets sets(3);
//   sets.join(2, 1);   // sets.first_of(2) is 1, sets.first_of(0) is 0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace reeltag {

class DisjointSets {
 public:
  explicit DisjointSets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t first_of(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    a = first_of(a);
    b = first_of(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace reeltag

#include "reeltag/base/disjoint_sets.hpp"

#include <gtest/gtest.h>

namespace reeltag {
namespace {

TEST(DisjointSets, AreAloneAtFirst) {
  DisjointSets sets(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(sets.first_of(i), i);
}

TEST(DisjointSets, AreNamedByTheirSmallestInWhateverOrder) {
  DisjointSets sets(6);
  sets.join(5, 4);
  sets.join(3, 5);
  sets.join(1, 4);
  sets.join(1, 1);
  for (const std::size_t i : {1, 3, 4, 5}) EXPECT_EQ(sets.first_of(i), 1U) << i;
  EXPECT_EQ(sets.first_of(0), 0U);
  EXPECT_EQ(sets.first_of(2), 2U);
}

}  // namespace
}  // namespace reeltag

#include "reeltag/base/random.hpp"

#include <gtest/gtest.h>

#include <set>

#include "reeltag/base/hash.hpp"

namespace reeltag {
namespace {

TEST(Random, GivesAsManyDigitsAsAskedAndNoneTwice) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto text = random_hex(16);
    EXPECT_TRUE(is_hex(text, 32)) << text;
    EXPECT_TRUE(seen.insert(text).second);
  }
  EXPECT_EQ(random_hex(0), "");
  EXPECT_TRUE(is_hex(random_hex(1000), 2000));  // more than one getrandom call returns without being interruptible
}

}  // namespace
}  // namespace reeltag

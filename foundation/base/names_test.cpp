#include <gtest/gtest.h>

#include "reeltag/base/config.hpp"

namespace reeltag::config {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("epcohs", "epochs"), 1U);
  EXPECT_EQ(edit_distance("abcd", "badc"), 2U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

TEST(NearestName, FindsWhatWasMeant) {
  const std::vector<std::string> names{"epochs", "base_lr", "batch_size", "device"};
  EXPECT_EQ(nearest_name("epohcs", names), "epochs");
  EXPECT_EQ(nearest_name("epoch", names), "epochs");
  EXPECT_EQ(nearest_name("Batch-Size", names), "batch_size");
  EXPECT_EQ(nearest_name("batch", names), "batch_size");
  EXPECT_EQ(nearest_name("max_epochs", names), "epochs");
}

TEST(NearestName, IsSilentWhereNothingIsNear) {
  const std::vector<std::string> names{"epochs", "base_lr", "up"};
  EXPECT_EQ(nearest_name("colour", names), std::nullopt);
  EXPECT_EQ(nearest_name("xy", names), std::nullopt);
  EXPECT_EQ(nearest_name("epochs", {}), std::nullopt);
}

}  // namespace
}  // namespace reeltag::config

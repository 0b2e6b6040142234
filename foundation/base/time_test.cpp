#include "reeltag/base/time.hpp"

#include <gtest/gtest.h>

namespace reeltag {
namespace {

// Expected values: date -u -d @1795704875 and similar.
TEST(Time, IsWrittenInUtc) {
  EXPECT_EQ(utc_text(0, "%Y-%m-%dT%H:%M:%SZ"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(951'782'400, "%Y-%m-%d"), "2000-02-29");
  EXPECT_EQ(utc_text(1'795'704'875, "%Y%m%d-%H%M%S"), "20261126-145435");
  EXPECT_EQ(utc_text(-1, "%H:%M:%S"), "23:59:59");
}

}  // namespace
}  // namespace reeltag

#include "postgres_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reeltag::sql {
namespace {

TEST(PostgresFailure, MeansWhatTheStateSays) {
  const auto code = [](const char* state) { return failure_of("c", state, "said\n").code; };
  EXPECT_EQ(code("53100"), Code::unavailable);
  EXPECT_EQ(code("40P01"), Code::unavailable);
  EXPECT_EQ(code("25006"), Code::permission_denied);
  EXPECT_EQ(code("57014"), Code::timeout);
  EXPECT_EQ(code("XX001"), Code::corrupt);
  EXPECT_EQ(code("42601"), Code::internal);
  EXPECT_EQ(failure_of("c", "42601", "two\nlines\n").message, "c: two lines");
}

}  // namespace
}  // namespace reeltag::sql

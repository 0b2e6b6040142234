#include "reeltag/base/error.hpp"

#include <gtest/gtest.h>

#include <set>

namespace reeltag {
namespace {

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code) names.insert(code_name(static_cast<Code>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Code::internal) + 1);
  EXPECT_EQ(code_name(Code::not_a_video), "not_a_video");
}

TEST(Error, ExitStatusFollowsTheContract) {
  EXPECT_EQ(exit_status(Code::invalid_argument), 2);
  EXPECT_EQ(exit_status(Code::invalid_config), 2);
  EXPECT_EQ(exit_status(Code::interrupted), 130);
  EXPECT_EQ(exit_status(Code::corrupt), 1);
}

TEST(Error, ValueOrThrowPassesValuesAndThrowsTheSameError) {
  EXPECT_EQ(value_or_throw(Result<int>(3)), 3);
  EXPECT_NO_THROW(value_or_throw(Result<void>()));
  try {
    value_or_throw(Result<int>(fail(Code::timeout, "too slow")));
    FAIL() << "no exception";
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_STREQ(error.what(), "too slow");
    EXPECT_EQ(error.error().message, "too slow");
  }
}

}  // namespace
}  // namespace reeltag

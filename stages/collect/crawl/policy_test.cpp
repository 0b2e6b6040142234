#include "crawl/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "crawl/challenge.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

using testing::HasSubstr;

class PolicyFile : public testing::Test {
 protected:
  std::string refusal(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    try {
      read_policy(file_);
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      return e.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "research.yaml";
};

TEST_F(PolicyFile, SaysAllFour) {
  EXPECT_EQ(refusal("terms: t\nallowed_by: me, 2026-11-26\nrequests_per_minute: 2.5\nretention_days: 30\n"), "");
  const auto policy = read_policy(file_);
  EXPECT_EQ(policy.terms, "t");
  EXPECT_EQ(policy.requests_per_minute, 2.5);
  EXPECT_EQ(policy.retention_days, 30);
}

TEST_F(PolicyFile, WithoutItNothingIsAllowed) {
  try {
    read_policy(policy_file(folder_.path(), "research"));
    FAIL() << "allowed";
  } catch (const Exception& e) {
    EXPECT_THAT(e.what(), HasSubstr("live collection is off"));
    EXPECT_THAT(e.what(), HasSubstr("policies/research.yaml"));
  }
  EXPECT_THAT(refusal(""), HasSubstr("terms"));
  EXPECT_THAT(refusal("terms: t\nrequests_per_minute: 1\nretention_days: 1\n"), HasSubstr("allowed_by"));
  EXPECT_THAT(refusal("terms: t\nallowed_by: a\nretention_days: 1\n"), HasSubstr("requests_per_minute"));
  EXPECT_THAT(refusal("terms: t\nallowed_by: a\nrequests_per_minute: 1\n"), HasSubstr("retention_days"));
  EXPECT_THAT(refusal("terms: t\nallowed: a\n"), HasSubstr("allowed_by"));  // suggests the nearest name
}

TEST(Challenge, IsToldFromOtherPages) {
  EXPECT_TRUE(
      is_challenge("<!DOCTYPE html><p id=\"cs\" class=\"e30=\"></p><p id=\"wci\" class=\"_wafchallengeid\"></p>"));
  EXPECT_TRUE(is_challenge("\n<html><script src=/captcha.js></script></html>"));
  EXPECT_FALSE(is_challenge("<html><body>502 Bad Gateway</body></html>"));
  EXPECT_FALSE(is_challenge("{\"error\": \"captcha\"}"));
  EXPECT_FALSE(is_challenge(""));
  EXPECT_TRUE(is_web_page(" <HTML>"));
  EXPECT_FALSE(is_web_page("{}"));
}

}  // namespace
}  // namespace reeltag::collect

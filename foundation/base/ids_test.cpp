#include "reeltag/base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag {
namespace {

TEST(Ids, LookLikeTimeAndSixHexDigits) {
  EXPECT_THAT(new_id(""), ::testing::MatchesRegex("[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"));
  EXPECT_THAT(new_id("run"), ::testing::MatchesRegex("run-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"));
}

TEST(Ids, TimeIsUtcNow) {
  const auto before = std::time(nullptr);
  std::tm utc{};
  const auto id = new_id("");
  ASSERT_NE(strptime(id.c_str(), "%Y%m%d-%H%M%S", &utc), nullptr);
  EXPECT_NEAR(static_cast<double>(timegm(&utc)), static_cast<double>(before), 2.0);
}

TEST(Ids, StrictlyAscendingWithinAProcess) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2000; ++i) ids.push_back(new_id(""));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()), ids.end());
}

TEST(Ids, DistinctAcrossThreads) {
  std::mutex mutex;
  std::set<std::string> ids;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          auto id = new_id("t");
          const std::lock_guard lock(mutex);
          ids.insert(std::move(id));
        }
      });
    }
  }
  EXPECT_EQ(ids.size(), 2000U);
}

TEST(Ids, RefuseAPrefixThatIsNoName) {
  EXPECT_THROW(new_id("a/b"), Exception);
  EXPECT_THROW(new_id("a b"), Exception);
  EXPECT_THROW(new_id("\xC3\xA9"), Exception);
}

TEST(Ids, ContentIdIsTheStartOfTheSha256) {
  EXPECT_EQ(content_id("abc"), "ba7816bf8f01cfea");
  EXPECT_EQ(content_id(sha256("abc")), "ba7816bf8f01cfea");
}

}  // namespace
}  // namespace reeltag

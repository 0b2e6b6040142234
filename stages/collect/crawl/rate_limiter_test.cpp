#include "crawl/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "crawl/test_clock.hpp"

namespace reeltag::collect {
namespace {

TEST(TokenBucket, AFewAtOnceAndThenTheRateHolds) {
  TestClock clock;
  TokenBucket bucket(clock, 30);  // one in 2 s
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(), 0.0);
  for (int i = 0; i < 4; ++i) {
    const double wait = bucket.take();
    EXPECT_NEAR(wait, 2.0, 1e-9);
    clock.pass(wait);
  }
  clock.pass(3600);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(), 0.0);
  EXPECT_GT(bucket.take(), 1.9);  // idle time adds no tokens beyond the capacity
}

TEST(TokenBucket, SlowsDown) {
  TestClock clock;
  TokenBucket bucket(clock, 60);
  bucket.slow_down();
  EXPECT_DOUBLE_EQ(bucket.per_minute(), 30);
  for (int i = 0; i < 3; ++i) bucket.take();
  EXPECT_NEAR(bucket.take(), 2.0, 1e-9);
}

TEST(SystemClock, AStopEndsASleep) {
  SystemClock clock;
  std::stop_source source;
  source.request_stop();
  const double before = clock.now();
  clock.sleep(30, source.get_token());
  clock.sleep(0.01, {});
  EXPECT_LT(clock.now() - before, 10);
  EXPECT_GE(clock.now() - before, 0.01);
}

}  // namespace
}  // namespace reeltag::collect

// Test clock: sleep() advances the time at once and records the duration. One thread. No failures.
#pragma once

#include <vector>

#include "crawl/rate_limiter.hpp"

namespace reeltag::collect {

class TestClock final : public Clock {
 public:
  [[nodiscard]] double now() override { return now_; }
  [[nodiscard]] std::int64_t unix_seconds() override { return 1'764'115'200 + static_cast<std::int64_t>(now_); }
  void sleep(double seconds, const std::stop_token&) override {
    slept.push_back(seconds);
    now_ += seconds;
  }
  void pass(double seconds) { now_ += seconds; }

  std::vector<double> slept;

 private:
  double now_ = 1000.0;  // 2025-11-26 00:16:40 UTC
};

}  // namespace reeltag::collect

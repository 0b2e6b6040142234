#include "crawl/rate_limiter.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace reeltag::collect {
namespace {

constexpr double kMinute = 60.0;

}  // namespace

double SystemClock::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::unix_seconds() {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

void SystemClock::sleep(double seconds, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::chrono::duration<double>(seconds), [] { return false; });
}

TokenBucket::TokenBucket(Clock& clock, double per_minute)
    : clock_(clock), per_second_(per_minute / kMinute), at_(clock.now()) {}

double TokenBucket::take() {
  const double now = clock_.now();
  tokens_ = std::min(kCapacity, tokens_ + (now - at_) * per_second_);
  at_ = now;
  tokens_ -= 1.0;
  return tokens_ >= 0 ? 0.0 : -tokens_ / per_second_;
}

double TokenBucket::per_minute() const { return per_second_ * kMinute; }

}  // namespace reeltag::collect

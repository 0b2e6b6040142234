// One token bucket per client. Thread-safe; never fails. Memory is bounded: drops full buckets, and all buckets if more
// than kMaxClients clients are active. The caller passes the time, so that tests need not wait.
//
//   RateLimit limit(10.0, 20);
//   if (auto wait = limit.take(key, Clock::now())) refuse(*wait);
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace reeltag::http::server {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxClients = 100'000;

  // per_second 0: no limit.
  RateLimit(double per_second, int burst) : per_second_(per_second), burst_(burst) {}

  // nullopt if the request may pass; else the seconds until one may.
  std::optional<double> take(const std::string& client, Clock::time_point now);
  [[nodiscard]] std::size_t clients() const;

 private:
  struct TokenBucket {
    double tokens;
    Clock::time_point at;
  };
  [[nodiscard]] double tokens(const TokenBucket& bucket, Clock::time_point now) const;
  void forget(Clock::time_point now);

  double per_second_;
  double burst_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, TokenBucket> buckets_;
  std::size_t forget_at_ = 1024;
};

}  // namespace reeltag::http::server

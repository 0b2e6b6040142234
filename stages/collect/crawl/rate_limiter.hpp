// Time and how fast it may go: a clock that tests can replace, and a token bucket. One thread.
//
//   TokenBucket bucket(clock, 30);                 // a minute
//   clock.sleep(bucket.take(), stop);         // then send
#pragma once

#include <cstdint>
#include <stop_token>

namespace reeltag::collect {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual double now() = 0;                               // seconds of a clock that never goes back
  [[nodiscard]] virtual std::int64_t unix_seconds() = 0;                // seconds, UTC
  virtual void sleep(double seconds, const std::stop_token& stop) = 0;  // ends early when stopping is asked for
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] double now() override;
  [[nodiscard]] std::int64_t unix_seconds() override;
  void sleep(double seconds, const std::stop_token& stop) override;
};

class TokenBucket {
 public:
  // Full at first: that many requests may follow each other at once before the rate holds.
  static constexpr double kCapacity = 3.0;

  TokenBucket(Clock& clock, double per_minute);

  // Takes a token: the seconds to wait before it may be used.
  double take();
  // Half as fast from now on.
  void slow_down() { per_second_ /= 2; }
  [[nodiscard]] double per_minute() const;

 private:
  Clock& clock_;
  double per_second_;
  double tokens_ = kCapacity;  // below zero: taken in advance
  double at_;
};

}  // namespace reeltag::collect

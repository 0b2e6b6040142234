// A clock that tests can replace, and a token bucket that limits the request rate. One thread. The bucket refers to the
// clock. No failures.
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
  [[nodiscard]] virtual double now() = 0;                               // seconds, monotonic
  [[nodiscard]] virtual std::int64_t unix_seconds() = 0;                // seconds, UTC
  virtual void sleep(double seconds, const std::stop_token& stop) = 0;  // returns early when a stop is requested
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] double now() override;
  [[nodiscard]] std::int64_t unix_seconds() override;
  void sleep(double seconds, const std::stop_token& stop) override;
};

class TokenBucket {
 public:
  // Starts full: this many requests may be sent at once before the rate applies.
  static constexpr double kCapacity = 3.0;

  TokenBucket(Clock& clock, double per_minute);

  // Takes a token and returns the seconds to wait before it may be used.
  double take();
  // Halves the rate for the rest of the run.
  void slow_down() { per_second_ /= 2; }
  [[nodiscard]] double per_minute() const;

 private:
  Clock& clock_;
  double per_second_;
  double tokens_ = kCapacity;  // negative: tokens taken in advance
  double at_;
};

}  // namespace reeltag::collect

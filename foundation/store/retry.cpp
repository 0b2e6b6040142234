#include "retry.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirst{100}, kMax{10'000};

// Other servers' messages for "later" that the client does not know.
constexpr std::array<std::string_view, 6> kLater{
    "SlowDown", "RequestTimeout", "ServiceUnavailable", "ThrottlingException", "InternalError", "TooManyRequests"};

// The time of the first failure of this thread's current request.
thread_local Clock::time_point failing_since;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

std::chrono::milliseconds backoff(std::int64_t attempt) {
  thread_local std::mt19937 random(std::random_device{}());
  const auto most = std::min(kMax, kFirst * (std::int64_t{1} << std::min<std::int64_t>(attempt, 10)));
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
}

bool Retry::ShouldRetry(const AWSErrorDetail& error, std::int64_t attempted) {
  if (attempted == 0) failing_since = Clock::now();
  if (!error.should_retry && std::find(kLater.begin(), kLater.end(), error.exception_name) == kLater.end())
    return false;
  if (stop::token().stop_requested() || Clock::now() - failing_since >= budget_) return false;
  if (attempted == 3) {
    log::warning("store.retry", {{"store", url_}, {"error", error.exception_name}, {"message", error.message}});
  }
  return true;
}

std::int64_t Retry::CalculateDelayBeforeNextRetry(const AWSErrorDetail& /*error*/, std::int64_t attempted) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(failing_since + budget_ - Clock::now());
  return std::clamp(backoff(attempted), std::chrono::milliseconds(0), std::max(left, std::chrono::milliseconds(0)))
      .count();
}

}  // namespace reeltag::store

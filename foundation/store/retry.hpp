// Decides when a failed request to an object store is retried: exponential back-off with full jitter, within a time
// budget per request, until the program is asked to stop. Thread-safe. Private to the store. Source of the policy:
// AWS Architecture Blog, "Exponential Backoff And Jitter".
//
//   options.retry_strategy = std::make_shared<Retry>(std::chrono::seconds(60), url);
#pragma once

#include <arrow/filesystem/s3fs.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace reeltag::store {

// A random time of at most 0.1 s, 0.2 s, 0.4 s ... 10 s.
std::chrono::milliseconds backoff(std::int64_t attempt);

class Retry final : public arrow::fs::S3RetryStrategy {
 public:
  // url: the store's, for the log.
  Retry(std::chrono::milliseconds budget, std::string url) : budget_(budget), url_(std::move(url)) {}

  // The client calls both on the thread that makes the request, starting with attempt 0.
  bool ShouldRetry(const AWSErrorDetail& error, std::int64_t attempted) override;
  std::int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail& error, std::int64_t attempted) override;

 private:
  std::chrono::milliseconds budget_;
  std::string url_;
};

}  // namespace reeltag::store

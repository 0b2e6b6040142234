#include "rate_limit.hpp"

#include <algorithm>

namespace reeltag::http::server {

double RateLimit::tokens(const TokenBucket& bucket, Clock::time_point now) const {
  const double passed = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(burst_, bucket.tokens + passed * per_second_);
}

std::optional<double> RateLimit::take(const std::string& client, Clock::time_point now) {
  if (per_second_ <= 0.0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= forget_at_) forget(now);
  TokenBucket& bucket = buckets_.try_emplace(client, TokenBucket{burst_, now}).first->second;
  bucket = {tokens(bucket, now), now};
  if (bucket.tokens < 1.0) return (1.0 - bucket.tokens) / per_second_;
  bucket.tokens -= 1.0;
  return std::nullopt;
}

// If all clients are active the bound still holds, but some get a fresh bucket. Amortized: runs again only when the
// table has doubled.
void RateLimit::forget(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) { return tokens(entry.second, now) >= burst_; });
  if (buckets_.size() >= kMaxClients) buckets_.clear();
  forget_at_ = std::clamp<std::size_t>(buckets_.size() * 2, 1024, kMaxClients);
}

std::size_t RateLimit::clients() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace reeltag::http::server

#include "housekeeping.hpp"

#include <chrono>

#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPollModelEvery = 1s;
constexpr auto kCheckHealthEvery = 5s;  // maximum age of a /readyz answer
constexpr auto kCleanUpEvery = 60s;
constexpr double kDay = 86'400;  // seconds

}  // namespace

void Housekeeping::run(const std::stop_token& stop, const std::function<void(const std::exception&)>& on_failure) {
  auto health = Clock::now(), clean_up_at = Clock::now();
  while (!stop.stop_requested()) {
    try {
      state_.model_slot.follow();
    } catch (const std::exception& e) {
      return on_failure(e);
    }
    if (Clock::now() >= health) check_health(), health = Clock::now() + kCheckHealthEvery;
    if (Clock::now() >= clean_up_at || woken_.exchange(false)) clean_up(), clean_up_at = Clock::now() + kCleanUpEvery;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPollModelEvery, [this] { return woken_.load(); });
  }
}

void Housekeeping::wake() {
  woken_ = true;
  wake_.notify_one();
}

void Housekeeping::check_health() {
  try {
    std::int64_t queued = 0;
    for (const auto& [state, count] : state_.working_jobs.counts())
      if (state == "queued") queued = count;
    state_.metrics.gauge("reeltag_queue_depth", "Jobs that wait").set(static_cast<double>(queued));
    state_.dependencies.store.stat("videos/0");
    healthy_ = true;
  } catch (const std::exception& e) {
    if (healthy_.exchange(false)) log::error("memory_unreachable", {{"reason", e.what()}});
  }
}

void Housekeeping::clean_up() {
  try {
    for (const auto& [video, key] : state_.working_ownership.orphaned_blobs()) {
      state_.dependencies.store.remove(key);
      state_.thumbnails.remove(video);
      state_.dependencies.index.remove([&video = video](const std::string& row) { return row == video; });
      state_.working_ownership.forget_orphaned_blob(video);
      log::info("video_removed", {{"video", video}});
    }
    const auto has_ended = [this](const std::string& id) {
      const auto job = state_.working_jobs.get(id);
      return !job || job->state == catalog::JobState::done || job->state == catalog::JobState::failed;
    };
    if (const auto expired = state_.uploads.expire(has_ended); expired > 0)
      log::info("uploads_expired", {{"count", expired}});
    state_.working_jobs.prune(static_cast<std::int64_t>(state_.config.keep_jobs_days * kDay));
  } catch (const std::exception& e) {
    log::warning("not_cleared_up", {{"reason", e.what()}});
  }
}

}  // namespace reeltag::serve

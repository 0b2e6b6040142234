#include "jobs/job_events.hpp"

#include <algorithm>

#include "api/replies.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;

bool has_ended(catalog::JobState state) {
  return state != catalog::JobState::queued && state != catalog::JobState::running;
}

}  // namespace

JobEvents::JobEvents(catalog::Jobs& jobs) : jobs_(jobs) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

int JobEvents::streams(const std::string& client) {
  const std::lock_guard lock(mutex_);
  std::ptrdiff_t count = 0;
  for (const auto& [job, followers] : followers_) {
    count += std::count_if(followers.begin(), followers.end(), [&](const Follower& follower) {
      return follower.client == client && !follower.stream->is_closed();
    });
  }
  return static_cast<int>(count);
}

void JobEvents::follow(const std::string& job, std::shared_ptr<http::server::EventStream> stream,
                       const std::string& client) {
  {
    const std::lock_guard lock(mutex_);
    followers_[job].push_back({.stream = std::move(stream), .client = client});
    changed_ = true;
  }
  wake_.notify_one();
}

void JobEvents::wake() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  wake_.notify_one();
}

void JobEvents::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, 1s, [this] { return changed_; });
    changed_ = false;
    for (auto& [job, followers] : followers_) tell(job, followers);
    std::erase_if(followers_, [](const auto& entry) { return entry.second.empty(); });
    lock.unlock();
    // Limits events to twenty a second, however often jobs change.
    std::this_thread::sleep_for(50ms);
  }
}

// Called with the lock held: follow() waits for one query per job.
void JobEvents::tell(const std::string& job, std::vector<Follower>& followers) {
  std::optional<catalog::Job> found;
  std::int64_t ahead = 0;
  try {
    found = jobs_.get(job);
    if (found) ahead = jobs_.ahead(*found);
  } catch (const std::exception& e) {
    log::warning("feed_failed", {{"job", job}, {"reason", e.what()}});
    return;  // retried in the next round
  }
  const std::string text = found ? job_json(*found, ahead).dump() : std::string();
  for (auto& follower : followers) {
    const bool news = found && follower.last != text;
    if (news && follower.stream->send({.data = text, .event = "job"})) follower.last = text;
    if (!found || has_ended(found->state)) follower.stream->close();
  }
  std::erase_if(followers, [](const Follower& follower) { return follower.stream->is_closed(); });
}

}  // namespace reeltag::serve

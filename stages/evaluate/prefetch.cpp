#include "prefetch.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace reeltag::evaluate {
namespace {

Result<DecodedVideo> fetch(const std::string& key, const ChooseFrames& choose_frames, const EvaluateOptions& options,
                           store::Store& store) {
  const auto file = store::find_local(store, key);
  if (!file) return fail(file.error());
  auto video = media::Decoder::open(*file, options.limits);
  if (!video) return fail(video.error());
  auto request = choose_frames((*video)->probe().duration);
  auto frames = (*video)->frames_at(request.wanted.times, request.wanted.scale);
  if (!frames) return fail(frames.error());
  return DecodedVideo{std::move(request.views), std::move(*frames)};
}

}  // namespace

struct Prefetch::State {
  State(std::vector<std::string> all, ChooseFrames asked, const EvaluateOptions& o, store::Store& from)
      : keys(std::move(all)), choose_frames(std::move(asked)), options(o), store(from) {}

  std::vector<std::string> keys;
  ChooseFrames choose_frames;
  EvaluateOptions options;
  store::Store& store;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::size_t claimed = 0;  // next key for a worker
  std::size_t handed = 0;   // next key for next()
  std::map<std::size_t, Result<DecodedVideo>> ready;
  std::vector<std::jthread> workers;  // last member: joined before the others are destroyed

  void work(const std::stop_token& stop) {
    const std::size_t ahead = static_cast<std::size_t>(options.threads) + 1;
    for (;;) {
      std::unique_lock lock(mutex);
      if (!changed.wait(lock, stop, [&] { return claimed >= keys.size() || claimed < handed + ahead; })) return;
      if (claimed >= keys.size()) return;
      const std::size_t mine = claimed++;
      lock.unlock();
      auto result = fetch_caught(keys[mine]);
      lock.lock();
      ready.emplace(mine, std::move(result));
      changed.notify_all();
    }
  }

  Result<DecodedVideo> fetch_caught(const std::string& key) {
    try {
      return fetch(key, choose_frames, options, store);
    } catch (const Exception& e) {
      return fail(e.error());
    } catch (const std::exception& e) {
      return fail(Code::internal, key + ": " + e.what());
    }
  }
};

Prefetch::Prefetch(std::vector<std::string> keys, ChooseFrames choose_frames, const EvaluateOptions& options,
                   store::Store& store)
    : state_(std::make_unique<State>(std::move(keys), std::move(choose_frames), options, store)) {
  State* state = state_.get();
  const std::size_t threads = std::min(static_cast<std::size_t>(std::max(1, options.threads)), state->keys.size());
  state->options.threads = static_cast<int>(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    state->workers.emplace_back([state](const std::stop_token& stop) { state->work(stop); });
  }
}

// The jthreads request a stop; a worker ends after its current video.
Prefetch::~Prefetch() = default;

Result<DecodedVideo> Prefetch::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->ready.contains(state_->handed); });
  auto node = state_->ready.extract(state_->handed++);
  lock.unlock();
  state_->changed.notify_all();
  return std::move(node.mapped());
}

}  // namespace reeltag::evaluate

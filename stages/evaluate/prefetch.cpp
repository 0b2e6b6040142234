#include "prefetch.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace reeltag::evaluate {
namespace {

// A decoder whose first answer is ready. Any other question goes to the decoder behind it.
class ReadyDecoder final : public media::Decoder {
 public:
  ReadyDecoder(std::unique_ptr<media::Decoder> source, std::vector<double> times, int short_side, media::Frames frames)
      : source_(std::move(source)), times_(std::move(times)), short_side_(short_side), frames_(std::move(frames)) {}

  [[nodiscard]] const media::Probe& probe() const override { return source_->probe(); }
  Result<media::Frames> frames_at(std::span<const double> times, const media::Scale& scale) override {
    const bool same = std::ranges::equal(times, times_) && scale.short_side == short_side_ && scale.width == 0 &&
                      scale.height == 0 && frames_.count > 0;
    if (!same) return source_->frames_at(times, scale);
    return std::exchange(frames_, {});  // asked for once; kept no longer
  }
  Result<std::vector<double>> frame_times() override { return source_->frame_times(); }

 private:
  std::unique_ptr<media::Decoder> source_;
  std::vector<double> times_;
  int short_side_;
  media::Frames frames_;
};

Result<Fetched> fetch(const std::string& key, const model::ClipSpec& spec, const EvaluateOptions& options,
                      store::Store& store) {
  auto video = media::Decoder::open(store.local_path(key), options.limits);
  if (!video) return tl::unexpected<Error>(video.error());
  auto views = views_of((*video)->probe().duration, options);
  std::vector<double> times;
  for (const auto& view : views) {
    const auto t = model::view_times(spec, view);
    times.insert(times.end(), t.begin(), t.end());
  }
  auto frames = (*video)->frames_at(times, {.short_side = spec.short_side});
  if (!frames) return tl::unexpected<Error>(frames.error());
  return Fetched{
      std::make_unique<ReadyDecoder>(std::move(*video), std::move(times), spec.short_side, std::move(*frames)),
      std::move(views)};
}

}  // namespace

struct Prefetch::State {
  State(std::vector<std::string> all, const model::ClipSpec& clip, const EvaluateOptions& o, store::Store& from)
      : keys(std::move(all)), spec(clip), options(o), store(from) {}

  std::vector<std::string> keys;
  model::ClipSpec spec;
  EvaluateOptions options;
  store::Store& store;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::size_t claimed = 0;  // next key for a worker
  std::size_t handed = 0;   // next key for next()
  std::map<std::size_t, Result<Fetched>> ready;
  std::vector<std::jthread> workers;  // last: joined before the rest goes

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

  Result<Fetched> fetch_caught(const std::string& key) {
    try {
      return fetch(key, spec, options, store);
    } catch (const Exception& e) {
      return tl::unexpected<Error>(e.error());
    } catch (const std::exception& e) {
      return fail(Code::internal, key + ": " + e.what());
    }
  }
};

Prefetch::Prefetch(std::vector<std::string> keys, const model::ClipSpec& spec, const EvaluateOptions& options,
                   store::Store& store)
    : state_(std::make_unique<State>(std::move(keys), spec, options, store)) {
  State* state = state_.get();
  const std::size_t threads = std::min(static_cast<std::size_t>(std::max(1, options.threads)), state->keys.size());
  state->options.threads = static_cast<int>(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    state->workers.emplace_back([state](const std::stop_token& stop) { state->work(stop); });
  }
}

// The jthreads ask their workers to stop; a worker ends after the video in its hands.
Prefetch::~Prefetch() = default;

Result<Fetched> Prefetch::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->ready.contains(state_->handed); });
  auto node = state_->ready.extract(state_->handed++);
  lock.unlock();
  state_->changed.notify_all();
  return std::move(node.mapped());
}

std::vector<model::View> views_of(double duration, const EvaluateOptions& options) {
  if (options.view_seconds <= 0.0) return {{0.0, duration}};
  return model::cover(duration, options.view_seconds, options.max_views);
}

}  // namespace reeltag::evaluate

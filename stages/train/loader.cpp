#include "loader.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "reeltag/base/log.hpp"

namespace reeltag::train {
namespace {

constexpr std::size_t kBatchesAhead = 8;  // prepared but not yet taken

std::int64_t thread_nanoseconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

std::uint64_t mix_seed(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t seed = 0x9E3779B97F4A7C15ULL;
  for (const std::uint64_t part : parts) {
    seed += part + 0x9E3779B97F4A7C15ULL;
    seed = (seed ^ (seed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    seed = (seed ^ (seed >> 27U)) * 0x94D049BB133111EBULL;
    seed ^= seed >> 31U;
  }
  return seed;
}

FrameSource::FrameSource(const std::vector<dataset::Item>& items, store::Store& store, const model::ClipSpec& spec,
                         const media::Limits& limits, double cache_gb)
    : items_(items),
      store_(store),
      spec_(spec),
      limits_(limits),
      cache_left_(static_cast<std::int64_t>(cache_gb * 1e9)) {}

Result<std::unique_ptr<media::Decoder>> FrameSource::open(std::size_t item) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = failed_.find(item); it != failed_.end()) return fail(it->second);
  }
  const auto file = store::find_local(store_, items_[item].key);
  if (!file) return fail(file.error());
  return media::Decoder::open(*file, limits_);
}

void FrameSource::note_failure(std::size_t item, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (failed_.emplace(item, error).second) {
    log::warning("video_left_out",
                 {{"video", items_[item].video}, {"code", code_name(error.code)}, {"reason", error.message}});
  }
}

Result<std::shared_ptr<const media::Frames>> FrameSource::uniform_frames(std::size_t item) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = cache_.find(item); it != cache_.end()) return it->second;
  }
  auto decoder = open(item);
  if (!decoder) return fail(decoder.error());
  const int count = spec_.frames * spec_.segment_frames;
  const double duration = (*decoder)->probe().duration;
  std::vector<double> times(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) times[static_cast<std::size_t>(i)] = duration * (i + 0.5) / count;
  auto frames = (*decoder)->frames_at(times, {.short_side = spec_.short_side});
  if (!frames) return fail(frames.error());
  auto shared = std::make_shared<const media::Frames>(std::move(*frames));
  const std::lock_guard lock(mutex_);
  const auto bytes = static_cast<std::int64_t>(shared->data.size());
  if (bytes <= cache_left_ && cache_.emplace(item, shared).second) cache_left_ -= bytes;
  return shared;
}

Result<std::shared_ptr<const media::Frames>> FrameSource::rate_frames(std::size_t item, double position) {
  auto decoder = open(item);
  if (!decoder) return fail(decoder.error());
  const double span = spec_.step * spec_.frames;
  const double start = position * std::max(0.0, (*decoder)->probe().duration - span);
  auto frames =
      (*decoder)->frames_at(model::view_times(spec_, {start, start + span}), {.short_side = spec_.short_side});
  if (!frames) return fail(frames.error());
  return std::make_shared<const media::Frames>(std::move(*frames));
}

Result<FrameSource::Clip> FrameSource::training_clip(std::size_t item, model::Random& random) {
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  const double share = spec_.min_view + (1.0 - spec_.min_view) * unit(random);
  const double position = unit(random);
  const auto frames = spec_.uniform ? uniform_frames(item) : rate_frames(item, position);
  if (!frames) {
    note_failure(item, frames.error());
    return fail(frames.error());
  }
  Clip clip{*frames, std::vector<int>(static_cast<std::size_t>(spec_.frames))};
  const double part = spec_.uniform ? share * spec_.segment_frames : 1.0;  // candidate frames per clip frame
  const double begin = spec_.uniform ? position * (1.0 - share) * spec_.segment_frames * spec_.frames : 0.0;
  for (int i = 0; i < spec_.frames; ++i) {
    const double offset = spec_.uniform ? unit(random) : 0.0;
    const int at = static_cast<int>(begin + (i + offset) * part);
    clip.indices[static_cast<std::size_t>(i)] = std::min(at, (*frames)->count - 1);
  }
  return clip;
}

Result<FrameSource::Clip> FrameSource::test_clip(std::size_t item) {
  const auto frames = spec_.uniform ? uniform_frames(item) : rate_frames(item, 0.5);
  if (!frames) {
    note_failure(item, frames.error());
    return fail(frames.error());
  }
  Clip clip{*frames, std::vector<int>(static_cast<std::size_t>(spec_.frames))};
  const int stride = spec_.uniform ? spec_.segment_frames : 1;
  for (int i = 0; i < spec_.frames; ++i) clip.indices[static_cast<std::size_t>(i)] = i * stride;
  return clip;
}

std::vector<Failure> FrameSource::failures() const {
  const std::lock_guard lock(mutex_);
  std::vector<Failure> out;
  for (const auto& [item, error] : failed_) out.push_back({items_[item].video, error});
  return out;
}

Loader::Loader(FrameSource& source, const model::ClipSpec& spec, std::vector<std::size_t> order, int batch_size,
               bool augment, std::uint64_t seed, int threads, std::size_t first, const Share& share)
    : source_(source),
      spec_(spec),
      order_(std::move(order)),
      batch_size_(static_cast<std::size_t>(batch_size)),
      augment_(augment),
      seed_(seed),
      share_(share),
      next_to_make_(first),
      next_to_give_(first) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

Loader::~Loader() {
  for (auto& thread : threads_) thread.request_stop();
  changed_.notify_all();
}

Batch Loader::make(std::size_t index) {
  Batch batch;
  const std::size_t begin = index * batch_size_, size = std::min(order_.size() - begin, batch_size_);
  for (std::size_t at = begin + share_.begin(size); at < begin + share_.end(size); ++at) {
    // Each position has its own random generator, so neither the number of threads nor a resume changes the draws.
    model::Random random(mix_seed({seed_, at}));
    auto clip = augment_ ? source_.training_clip(order_[at], random) : source_.test_clip(order_[at]);
    if (!clip) continue;
    const auto& frames = *clip->frames;
    const model::CropBox box = augment_ ? model::random_crop(spec_, frames.height, frames.width, random)
                                        : model::center_crop(spec_, frames.height, frames.width);
    const bool mirror = augment_ && spec_.flip && (random() >> 63U) != 0;
    batch.clips.resize(batch.clips.size() + spec_.clip_size());
    model::write_clip(frames, clip->indices, box, mirror, spec_,
                      batch.clips.data() + batch.clips.size() - spec_.clip_size());
    batch.items.push_back(order_[at]);
  }
  return batch;
}

void Loader::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::size_t index = 0;
    {
      std::unique_lock lock(mutex_);
      const bool go = changed_.wait(lock, stop, [&] { return next_to_make_ < next_to_give_ + kBatchesAhead; });
      if (!go || error_ || next_to_make_ >= batches()) return;
      index = next_to_make_++;
    }
    const std::int64_t before = thread_nanoseconds();
    Batch batch;
    std::exception_ptr error;
    try {
      batch = make(index);
    } catch (...) {
      error = std::current_exception();
    }
    cpu_nanoseconds_ += thread_nanoseconds() - before;
    const std::lock_guard lock(mutex_);
    if (error) error_ = error;
    ready_.emplace(index, std::move(batch));
    changed_.notify_all();
  }
}

Batch Loader::next() {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || ready_.count(next_to_give_) > 0; });
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (error_) std::rethrow_exception(error_);
  auto node = ready_.extract(next_to_give_++);
  changed_.notify_all();
  return std::move(node.mapped());
}

}  // namespace reeltag::train

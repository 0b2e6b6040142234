// Loads and augments training clips on worker threads. Private; needs no libtorch. FrameSource: thread-safe, owns the
// frame cache. Loader: one thread calls next(); owns and joins its workers. A video that is missing or fails to
// decode is recorded and left out; a failing store throws from next().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "reeltag/dataset.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/input.hpp"
#include "reeltag/store.hpp"
#include "reeltag/train.hpp"

namespace reeltag::train {

// Mixes parts into a 64-bit seed, so that different parts give unrelated seeds (SplitMix64's finaliser over each).
std::uint64_t mix_seed(std::initializer_list<std::uint64_t> parts);

// Decodes videos and caches their frames up to a memory limit. Thread-safe.
class FrameSource {
 public:
  FrameSource(const std::vector<dataset::Item>& items, store::Store& store, const model::ClipSpec& spec,
              const media::Limits& limits, double cache_gb);

  struct Clip {
    std::shared_ptr<const media::Frames> frames;
    std::vector<int> indices;  // spec.frames of them
  };
  // Returns a training clip drawn with `random`, or the test clip of the whole video.
  Result<Clip> training_clip(std::size_t item, model::Random& random);
  Result<Clip> test_clip(std::size_t item);

  [[nodiscard]] std::vector<Failure> failures() const;

 private:
  Result<std::shared_ptr<const media::Frames>> uniform_frames(std::size_t item);
  Result<std::shared_ptr<const media::Frames>> rate_frames(std::size_t item, double position);
  Result<std::unique_ptr<media::Decoder>> open(std::size_t item);
  void note_failure(std::size_t item, const Error& error);

  const std::vector<dataset::Item>& items_;
  store::Store& store_;
  const model::ClipSpec& spec_;
  media::Limits limits_;
  std::int64_t cache_left_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::shared_ptr<const media::Frames>> cache_;
  std::map<std::size_t, Error> failed_;
};

struct Batch {
  std::vector<float> clips;        // [n,3,T,S,S]
  std::vector<std::size_t> items;  // n item indices; fewer than the batch size if a video failed
};

// The share of each batch that a Loader prepares: one of `of` shares that are as equal as the batch allows.
struct Share {
  std::size_t index = 0, of = 1;
  // Begin of this share of n consecutive items; its end is the next share's begin.
  [[nodiscard]] std::size_t begin(std::size_t n) const { return n * index / of; }
  [[nodiscard]] std::size_t end(std::size_t n) const { return n * (index + 1) / of; }
};

// Returns the batches of one epoch in order, independent of the number of threads.
class Loader {
 public:
  // order: item indices. augment: draw crops, mirroring and frames from seed and position. first: index of the first
  // batch (a resumed epoch). The share affects neither the batches nor the random numbers of a position.
  Loader(FrameSource& source, const model::ClipSpec& spec, std::vector<std::size_t> order, int batch_size, bool augment,
         std::uint64_t seed, int threads, std::size_t first = 0, const Share& share = {});
  ~Loader();

  [[nodiscard]] std::size_t batches() const { return (order_.size() + batch_size_ - 1) / batch_size_; }
  // Waits for the next batch and returns it. Call it batches() - first times.
  Batch next();
  // Seconds that next() waited, and processor seconds used by the workers.
  [[nodiscard]] double waited() const { return waited_; }
  [[nodiscard]] double cpu_seconds() const { return static_cast<double>(cpu_nanoseconds_.load()) * 1e-9; }

 private:
  void work(const std::stop_token& stop);
  Batch make(std::size_t index);

  FrameSource& source_;
  const model::ClipSpec& spec_;
  const std::vector<std::size_t> order_;
  const std::size_t batch_size_;
  const bool augment_;
  const std::uint64_t seed_;
  const Share share_;
  std::size_t next_to_make_, next_to_give_;
  std::map<std::size_t, Batch> ready_;
  std::exception_ptr error_;  // a store failure, thrown from next()
  std::mutex mutex_;
  std::condition_variable_any changed_;
  double waited_ = 0.0;
  std::atomic<std::int64_t> cpu_nanoseconds_{0};
  std::vector<std::jthread> threads_;  // last member: joined before the others are destroyed
};

}  // namespace reeltag::train

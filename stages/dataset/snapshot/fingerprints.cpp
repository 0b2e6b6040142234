// Computes fingerprints of videos added before fingerprints existed, or made by another version of the method.
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "reeltag/dataset.hpp"
#include "reeltag/media/fingerprint.hpp"

namespace reeltag::dataset {
namespace {

using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

struct MissingFingerprint {
  std::string video, key;
};

std::vector<MissingFingerprint> missing_in(catalog::Catalog& catalog) {
  std::vector<MissingFingerprint> missing;
  catalog.fingerprints.each([&](const catalog::SplitGrouping& groupings) {
    if (!media::fingerprint_from(groupings.fingerprint.value_or("")))
      missing.push_back({groupings.video, groupings.key});
  });
  return missing;
}

// Nothing if the store has lost the blob: it may come back.
std::optional<media::Fingerprint> look_at(const MissingFingerprint& video, store::Store& store,
                                          const media::Limits& limits) {
  const auto file = store::find_local(store, video.key);
  if (!file) return std::nullopt;
  const auto decoder = media::Decoder::open(*file, limits);
  if (!decoder) return media::Fingerprint{};
  const double duration = (*decoder)->probe().duration;
  const auto frames = (*decoder)->frames_at(media::fingerprint_times(duration), media::kFingerprintScale);
  return frames ? media::fingerprint_of(*frames, duration) : media::Fingerprint{.duration = duration};
}

class Work {
 public:
  Work(std::vector<MissingFingerprint> missing, catalog::Catalog& catalog, store::Store& store,
       const media::Limits& limits, const std::stop_token& stop, const OnProgress& progress)
      : missing_(std::move(missing)),
        catalog_(catalog),
        store_(store),
        limits_(limits),
        stop_(stop),
        progress_(progress) {}

  std::int64_t run() {
    {
      std::vector<std::jthread> threads;
      const std::size_t most = std::max(1U, std::thread::hardware_concurrency());
      for (std::size_t i = 0; i < std::min(most, missing_.size()); ++i) threads.emplace_back([this] { work(); });
    }
    if (failure_) std::rethrow_exception(failure_);
    if (stop_.stop_requested()) {
      throw Exception(Code::interrupted, "stopped while looking for copies; what was looked at is noted. Run it again");
    }
    return done_;
  }

 private:
  void work() {
    try {
      for (std::size_t i = next_++; i < missing_.size() && !stop_.stop_requested() && !ended_; i = next_++) {
        const auto fingerprint = look_at(missing_[i], store_, limits_);
        const std::lock_guard lock(mutex_);
        if (fingerprint) {
          const std::pair<std::string, std::string> row{missing_[i].video, media::to_text(*fingerprint)};
          catalog_.fingerprints.put({&row, 1});
        }
        ++done_;
        if (progress_) progress_(done_, static_cast<std::int64_t>(missing_.size()));
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      ended_ = true;
    }
  }

  const std::vector<MissingFingerprint> missing_;
  catalog::Catalog& catalog_;
  store::Store& store_;
  const media::Limits& limits_;
  const std::stop_token& stop_;
  const OnProgress& progress_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;  // guards the members below
  std::int64_t done_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

std::int64_t take_fingerprints(catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                               const std::stop_token& stop, const OnProgress& progress) {
  auto missing = missing_in(catalog);
  if (missing.empty()) return 0;
  return Work(std::move(missing), catalog, store, limits, stop, progress).run();
}

}  // namespace reeltag::dataset

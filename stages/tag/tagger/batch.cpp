// Batches tagging requests for one net thread. Videos that wait at the same time and have frames of one size are scored
// in one pass, so batches grow with the load and no request waits for a batch to fill.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "reeltag/base/log.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/tagger.hpp"
#include "scorer.hpp"

namespace reeltag::tag {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchViews = 16;  // maximum views per pass; a single video may have more
constexpr double kSafety = 1.25;         // assumed / measured cost of a view
constexpr double kMemory = 0.3;          // weight of the newest measurement

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Work {
  media::Frames frames;
  std::vector<model::View> views;
  std::promise<Result<model::Prediction>> answer = {};
};

class BatchedModel final : public Model {
 public:
  BatchedModel(const std::filesystem::path& folder, const TagConfig& config)
      : predictor_(folder, config.whole_picture), folder_(folder), config_(config) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  const std::string& name() const override { return predictor_.bundle().name; }
  const std::filesystem::path& folder() const override { return folder_; }
  const std::vector<std::string>& vocabulary() const override { return predictor_.bundle().vocabulary; }

  Result<TagResult> tag(media::Decoder& video, const std::string& name, const TagRequest& request) override {
    const double duration = video.probe().duration;
    const auto most = affordable(request.deadline);
    if (most == 0) return fail(Code::timeout, name + ": the deadline passed before anything was looked at");
    const Plan plan = plan_views(predictor_.extractor(), config_, duration, most);
    const auto start = Clock::now();
    const auto wanted = predictor_.extractor().wanted(plan.views);
    auto frames = video.frames_at(wanted.times, wanted.scale);
    if (!frames) return fail(frames.error());
    learn(decode_, seconds_since(start), plan.views.size());
    if (request.stop.stop_requested()) return fail(Code::interrupted, name + ": stopped");
    if (request.progress) request.progress(0.4);
    const auto prediction = look(std::move(*frames), plan.views);
    if (!prediction) return fail(prediction.error());
    if (request.progress) request.progress(1.0);
    TagResult out =
        choose_tags(predictor_.bundle(), plan, *prediction, {request.top.value_or(config_.top), request.threshold});
    out.video = name;
    return out;
  }

 private:
  // Number of views that can be scored before the deadline, after the queued ones.
  std::int64_t affordable(const std::optional<Clock::time_point>& deadline) {
    if (!deadline) return std::numeric_limits<std::int64_t>::max();
    const double left = std::chrono::duration<double>(*deadline - Clock::now()).count();
    const std::lock_guard lock(mutex_);
    if (left <= 0) return 0;
    const double view = kSafety * (decode_ + forward_);
    if (view <= 0) return std::numeric_limits<std::int64_t>::max();
    std::size_t waiting = in_pass_;
    for (const auto& work : queue_) waiting += work.views.size();
    const double free = left - kSafety * forward_ * static_cast<double>(waiting);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(free / view));
  }

  void learn(double& seconds_per_view, double seconds, std::size_t views) {
    const double now = seconds / static_cast<double>(std::max<std::size_t>(views, 1));
    const std::lock_guard lock(mutex_);
    seconds_per_view = seconds_per_view == 0 ? now : (1 - kMemory) * seconds_per_view + kMemory * now;
  }

  Result<model::Prediction> look(media::Frames frames, const std::vector<model::View>& views) {
    Work work{.frames = std::move(frames), .views = views};
    auto answer = work.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
    return answer.get();
  }

  // Takes the oldest request and later ones with its frame size.
  std::vector<Work> next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    in_pass_ = 0;
    wake_.wait(lock, stop, [this] { return !queue_.empty(); });
    std::vector<Work> batch;
    for (auto it = queue_.begin(); it != queue_.end();) {
      const bool fits = batch.empty() ||
                        (it->frames.height == batch.front().frames.height &&
                         it->frames.width == batch.front().frames.width && in_pass_ + it->views.size() <= kBatchViews);
      if (!fits) {
        ++it;
        continue;
      }
      in_pass_ += it->views.size();
      batch.push_back(std::move(*it));
      it = queue_.erase(it);
    }
    return batch;
  }

  void run(const std::stop_token& stop) {
    while (true) {
      auto batch = next(stop);
      if (batch.empty()) return;
      answer(batch);
    }
  }

  void answer(std::vector<Work>& batch) {
    std::vector<model::Clips> clips;
    std::size_t views = 0;
    for (const auto& work : batch) {
      clips.push_back({&work.frames, &work.views});
      views += work.views.size();
    }
    const auto start = Clock::now();
    std::vector<Result<model::Prediction>> predictions;
    try {
      predictions = predictor_.predict(clips);
    } catch (const std::exception& e) {
      log::warning("forward_failed", {{"model", name()}, {"reason", e.what()}});
      predictions.assign(batch.size(), fail(Code::internal, std::string("the model failed: ") + e.what()));
    }
    learn(forward_, seconds_since(start), views);
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].answer.set_value(std::move(predictions[i]));
  }

  model::Predictor predictor_;
  std::filesystem::path folder_;
  TagConfig config_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Work> queue_;
  std::size_t in_pass_ = 0;              // views in the current pass
  double decode_ = 0.0, forward_ = 0.0;  // seconds per view; 0: not measured yet
  std::jthread thread_;
};

}  // namespace

std::shared_ptr<Model> load_model(const std::filesystem::path& bundle, const TagConfig& config) {
  return std::make_shared<BatchedModel>(bundle, config);
}

}  // namespace reeltag::tag

#include "work.hpp"

#include <fcntl.h>

#include <algorithm>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/intake.hpp"
#include "replies.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLease = 60;   // seconds
constexpr auto kReportEvery = 250ms;  // where something changed
constexpr auto kHeartbeat = 10s;      // where nothing did
constexpr auto kLongestFetch = 15min;
constexpr std::int64_t kPatience = 86'400;  // seconds for which a job waits for a catalog or store that does not answer
constexpr std::int64_t kLongestWait = 60;   // seconds between two tries
constexpr int kKeptTags = 200;              // of a video
constexpr double kFetched = 0.2, kChecked = 0.3, kTagged = 0.95;  // progress at the end of each stage

// Tells the catalog how far a job is, and hears from it whether somebody cancelled it. Has a thread of its own.
class Reporter {
 public:
  Reporter(Service& service, const catalog::Job& job, std::stop_source& stop)
      : service_(service), job_(job), stop_(stop) {
    thread_ = std::jthread([this](const std::stop_token& end) { run(end); });
  }

  void say(const char* stage, double progress, const std::string& video = {}) {
    const std::lock_guard lock(mutex_);
    stage_ = stage;
    progress_ = progress;
    if (!video.empty()) video_ = video;
    changed_ = true;
  }
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  void run(const std::stop_token& end) {
    auto last = Clock::now();
    while (!end.stop_requested()) {
      std::unique_lock lock(mutex_);
      never_.wait_for(lock, end, kReportEvery, [] { return false; });
      if (end.stop_requested() || (!changed_ && Clock::now() - last < kHeartbeat)) continue;
      changed_ = false;
      last = Clock::now();
      const auto stage = stage_, video = video_;
      const double progress = progress_;
      lock.unlock();
      report(stage, progress, video);
    }
  }

  void report(const std::string& stage, double progress, const std::string& video) {
    try {
      if (!service_.working_jobs.report(job_.id, service_.place, stage, progress, video, kLease)) {
        lost_ = true;
        stop_.request_stop();
      }
      service_.feed.wake();
    } catch (const std::exception& e) {
      log::warning("job_not_reported", {{"job", job_.id}, {"reason", e.what()}});
    }
  }

  Service& service_;
  const catalog::Job& job_;
  std::stop_source& stop_;
  std::atomic<bool> lost_ = false;
  std::mutex mutex_;
  std::condition_variable_any never_;
  std::string stage_, video_;
  double progress_ = 0.0;
  bool changed_ = false;
  std::jthread thread_;
};

// One job, from its bytes to its hashtags.
class Task {
  // Of this part the type is deduced, so it stands first.
  template <class F>
  auto timed(const char* stage, F&& work) {
    const auto start = Clock::now();
    auto out = work();
    service_.metrics
        .histogram("reeltag_inference_stage_duration_seconds", "Time of a stage of a job", {{"stage", stage}},
                   metrics::seconds_buckets())
        .observe(std::chrono::duration<double>(Clock::now() - start).count());
    return out;
  }

 public:
  Task(Service& service, const catalog::Job& job, Reporter& reporter, std::stop_token stop)
      : service_(service), job_(job), reporter_(reporter), stop_(std::move(stop)) {}

  Result<std::string> run() {
    const auto file = bytes();
    if (!file) return tl::unexpected(file.error());
    if (stop_.stop_requested()) return interrupted();
    reporter_.say("check", kFetched);
    const auto stored = timed("check", [&] {
      return collect::take_in(*file, collect::Origin::outside, *service_.catalog, service_.parts.store,
                              service_.parts.limits);
    });
    if (!stored) return tl::unexpected(in_words(stored.error(), *file));
    if (stored->forgotten) return fail(Code::permission_denied, "this video was forgotten here and may not come back");
    reporter_.say("tag", kChecked, stored->id);
    const auto served = model();
    if (!served) return interrupted();
    auto found = known(stored->id, *served);
    if (found.empty()) {
      const auto tagged = tag(*file, *served);
      if (!tagged) return tl::unexpected(in_words(tagged.error(), *file));
      found = tagging_text(*tagged);
    }
    if (stop_.stop_requested()) return interrupted();
    reporter_.say("keep", kTagged);
    return keep(*stored, *served, found);
  }

 private:
  Result<std::string> interrupted() const { return fail(Code::interrupted, job_.name + ": stopped"); }

  // Messages for the owner: by the file's name, not by where it lies here.
  [[nodiscard]] Error in_words(Error error, const fs::path& file) const {
    const auto name = job_.name.empty() ? std::string("the video") : job_.name;
    const auto path = file.string(), own = file.filename().string();
    for (auto at = error.message.find(path); at != std::string::npos; at = error.message.find(path, at + name.size()))
      error.message.replace(at, path.size(), name);
    if (error.message.starts_with(own + ":")) error.message.replace(0, own.size(), name);
    return error;
  }

  Result<fs::path> bytes() {
    if (!job_.upload.empty()) {
      const auto upload = service_.uploads.find(job_.upload);
      if (!upload) return fail(Code::not_found, "the uploaded bytes are not here any more; upload the video again");
      return upload->file;
    }
    reporter_.say("fetch", 0.0);
    auto fetched = timed("fetch", [&] { return service_.parts.fetch(job_.reference, Clock::now() + kLongestFetch); });
    if (!fetched) return tl::unexpected(fetched.error());
    fetched_ = std::move(*fetched);
    return fs::path("/proc/self/fd") / std::to_string(fetched_.get());
  }

  // Waits for the first one.
  std::shared_ptr<const Served> model() const {
    auto served = service_.serving.now();
    while (!served && !stop_.stop_requested()) {
      std::this_thread::sleep_for(100ms);
      served = service_.serving.now();
    }
    return served;
  }

  // What this very model said of these very bytes before.
  std::string known(const std::string& video, const Served& served) const {
    const auto tagging = service_.working_shelf.tagging(video);
    if (!tagging || tagging->model != served.key) return {};
    const auto json = Json::parse(tagging->result, nullptr, false);
    return json.is_object() && !json.value("hurried", true) ? tagging->result : std::string();
  }

  Result<tag::Tagged> tag(const fs::path& file, const Served& served) {
    Descriptor bytes(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!bytes.is_open()) return fail(Code::not_found, "the bytes of this video are not here any more");
    return timed("forward", [&]() -> Result<tag::Tagged> {
      const auto decoder = media::Decoder::open_outside(std::move(bytes), job_.name, service_.parts.limits);
      if (!decoder) return tl::unexpected(decoder.error());
      tag::Ask ask{.threshold = 0.0, .top = kKeptTags, .stop = stop_};
      if (job_.deadline > 0) {
        // Even a job that waited for too long is worth one view.
        const double left = static_cast<double>(job_.created) + job_.deadline - static_cast<double>(std::time(nullptr));
        ask.deadline = Clock::now() +
                       std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(left, 0.05)));
      }
      ask.progress = [&](double share) { reporter_.say("tag", kChecked + share * (kTagged - kChecked)); };
      return served.model->tag(**decoder, job_.name, ask);
    });
  }

  // In an order in which a kill between two steps leaves what the next try completes.
  Result<std::string> keep(const collect::Stored& stored, const Served& served, const std::string& found) {
    if (!service_.catalog->get(stored.id)) {
      auto video = collect::facts_of(stored);
      video.source = std::string(catalog::kUploadSource);
      video.group = job_.owner;  // clips of one person stay on one side of a split
      const auto added = service_.catalog->record({.video = video, .fingerprint = stored.fingerprint});
      if (added == catalog::Added::forgotten) {
        collect::put_back(stored, *service_.catalog, service_.parts.store);
        return fail(Code::permission_denied, "this video was forgotten here and may not come back");
      }
    }
    service_.working_shelf.hold(job_.owner, stored.id, job_.name);
    const auto shown = tags_json(stored.id, found, kKeptTags, std::nullopt);
    std::vector<std::string> sure;
    index::Prediction prediction{.video = stored.id, .model = {served.model->name(), served.key}};
    for (const auto& tag : shown["tags"]) {
      sure.push_back(tag["hashtag"].get<std::string>());
      index::Tag kept{.hashtag = sure.back(), .score = tag["score"].get<double>()};
      for (const auto& s : tag["segments"]) kept.segments.push_back({s[0].get<double>(), s[1].get<double>()});
      prediction.tags.push_back(std::move(kept));
    }
    service_.working_shelf.put_tagging(stored.id, served.key, found, sure);
    if (const auto video = service_.catalog->get(stored.id))
      service_.parts.index.put_texts({{{.video = video->id, .caption = video->caption, .typed = video->hashtags}}});
    service_.parts.index.put_predictions({{prediction}});
    return stored.id;
  }

  Service& service_;
  const catalog::Job& job_;
  Reporter& reporter_;
  std::stop_token stop_;
  Descriptor fetched_;
};

// The catalog and the store throw where they themselves are in the way; what is wrong with a video is returned.
bool is_memory_away(const Error& thrown) {
  return thrown.code == Code::unavailable || thrown.code == Code::permission_denied;
}

enum class Cause { itself, memory_away, stop };

// False: it is in the queue again. Throws where the queue does not answer.
bool close(Service& service, const catalog::Job& job, const Result<std::string>& ended, Cause cause) {
  auto& jobs = service.working_jobs;
  if (cause == Cause::stop) {
    jobs.give_back(job.id, service.place);
    return false;
  }
  const auto age = static_cast<std::int64_t>(std::time(nullptr)) - job.created;
  if (cause == Cause::memory_away && age < kPatience) {
    log::warning("job_waits", {{"reason", ended.error().message}});
    jobs.put_off(job.id, service.place, std::clamp<std::int64_t>(age / 4, 1, kLongestWait), "wait");
    return false;
  }
  if (jobs.finish(job.id, service.place, ended) && !job.upload.empty()) service.uploads.remove(job.upload);
  return true;
}

// The same, and waits for the queue.
bool close_in_time(Service& service, const catalog::Job& job, const Result<std::string>& ended, Cause cause,
                   const std::stop_token& stop) {
  while (true) {
    try {
      return close(service, job, ended, cause);
    } catch (const Exception& e) {
      if (e.code() != Code::unavailable || stop.stop_requested()) throw;
      log::warning("queue_unreachable", {{"reason", e.what()}});
      std::this_thread::sleep_for(1s);
    }
  }
}

}  // namespace

Workers::Workers(Service& service, int threads) : service_(service) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

Workers::~Workers() {
  for (auto& thread : threads_) thread.request_stop();
}

void Workers::wake() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  wake_.notify_all();
}

void Workers::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<catalog::Job> job;
    try {
      job = service_.working_jobs.claim(service_.place, service_.place, kLease);
    } catch (const std::exception& e) {
      log::error("queue_unreachable", {{"reason", e.what()}});
    }
    if (job) {
      work_on(*job, stop);
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, 1s, [this] { return news_; });
    news_ = false;
  }
}

void Workers::work_on(const catalog::Job& job, const std::stop_token& stop) try {
  const log::Scope scope{{"job", job.id}};
  const auto start = Clock::now();
  std::stop_source job_stop;
  const std::stop_callback forward(stop, [&] { job_stop.request_stop(); });
  Result<std::string> ended = fail(Code::internal, "not worked on");
  auto cause = Cause::itself;
  {
    Reporter reporter(service_, job, job_stop);
    try {
      ended = Task(service_, job, reporter, job_stop.get_token()).run();
    } catch (const Exception& e) {
      ended = tl::unexpected(e.error());
      if (is_memory_away(e.error())) cause = Cause::memory_away;
    } catch (const std::exception& e) {
      ended = fail(Code::internal, e.what());
    }
    if (reporter.lost()) return;  // cancelled, or another server has it now
  }
  // Ended by the stop, or by what the stop has cut off: the next server takes it up.
  const bool is_cut_off = !ended && (ended.error().code == Code::interrupted ||
                                     (ended.error().code == Code::unavailable && job.reference.empty()));
  if (is_cut_off && stop.stop_requested()) cause = Cause::stop;
  const bool is_over = close_in_time(service_, job, ended, cause, stop);
  service_.feed.wake();
  if (!is_over) return;
  const std::string outcome = ended ? "done" : std::string(code_name(ended.error().code));
  service_.metrics.counter("reeltag_serve_jobs_total", "Jobs that ended", {{"outcome", outcome}}).add();
  log::info("job", {{"outcome", outcome},
                    {"message", ended ? std::string() : ended.error().message},
                    {"seconds", Clock::now() - start}});
} catch (const std::exception& e) {
  // Its lease runs out, and somebody tries again.
  log::error("job_lost", {{"job", job.id}, {"reason", e.what()}});
}

}  // namespace reeltag::serve

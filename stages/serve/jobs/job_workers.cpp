#include "jobs/job_workers.hpp"

#include <fcntl.h>

#include <algorithm>

#include "api/replies.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/ingest.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLease = 60;         // seconds
constexpr auto kReportEvery = 250ms;        // after a change
constexpr auto kHeartbeat = 10s;            // without a change
constexpr std::int64_t kPatience = 86'400;  // seconds that a job waits for an unavailable catalog or store
constexpr std::int64_t kMaxWait = 60;       // seconds between two retries
constexpr std::int64_t kNamesOfClient = 4;  // visitors behind one address that may keep all that one visitor may
constexpr int kKeptTags = 200;              // per video
constexpr double kFetched = 0.2, kChecked = 0.3, kTagged = 0.95;  // progress at the end of each stage

// Reports a job's progress to the catalog and learns whether the job was cancelled. Has a thread of its own.
class Reporter {
 public:
  Reporter(ServerState& state, const catalog::Job& job, std::stop_source& stop)
      : state_(state), job_(job), stop_(stop) {
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
      if (!state_.working_jobs.report(job_.id, state_.node_id, stage, progress, video, kLease)) {
        lost_ = true;
        stop_.request_stop();
      }
      state_.job_events.wake();
    } catch (const std::exception& e) {
      log::warning("job_not_reported", {{"job", job_.id}, {"reason", e.what()}});
    }
  }

  ServerState& state_;
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

// Holds a place in which a video is tagged; a fetched one also one of those that are not all. Not held if the stop came
// first.
class TagPlace {
 public:
  TagPlace(TagPlaces& places, bool fetched, const std::stop_token& stop) {
    if (fetched && !take(places.fetched, stop)) return;
    take(places.all, stop);
  }
  ~TagPlace() {
    for (auto* held : held_) held->release();
  }
  TagPlace(const TagPlace&) = delete;
  TagPlace& operator=(const TagPlace&) = delete;

 private:
  bool take(std::counting_semaphore<>& places, const std::stop_token& stop) {
    while (!places.try_acquire_for(100ms)) {
      if (stop.stop_requested()) return false;
    }
    held_.push_back(&places);
    return true;
  }

  std::vector<std::counting_semaphore<>*> held_;
};

// Processes one job, from fetching the bytes to storing the hashtags.
class JobRun {
  // Comes first, as the return type is deduced.
  template <class F>
  auto timed(const char* stage, F&& work) {
    const auto start = Clock::now();
    auto out = work();
    state_.metrics
        .histogram("reeltag_inference_stage_duration_seconds", "Time of a stage of a job", {{"stage", stage}},
                   metrics::seconds_buckets())
        .observe(std::chrono::duration<double>(Clock::now() - start).count());
    return out;
  }

 public:
  JobRun(ServerState& state, TagPlaces& places, const catalog::Job& job, Reporter& reporter, std::stop_token stop)
      : state_(state), places_(places), job_(job), reporter_(reporter), stop_(std::move(stop)) {}

  Result<std::string> run() {
    const auto file = bytes();
    if (!file) return fail(file.error());
    const TagPlace place(places_, !job_.reference.empty(), stop_);
    if (stop_.stop_requested()) return interrupted();
    reporter_.say("check", kFetched);
    const auto stored = timed("check", [&] {
      return ingest::ingest_file(*file, ingest::Origin::untrusted, *state_.catalog, state_.dependencies.store,
                                 state_.dependencies.limits);
    });
    if (!stored) return fail(redact_path(stored.error(), *file));
    if (stored->forgotten) return fail(Code::permission_denied, "this video was forgotten here and may not come back");
    reporter_.say("tag", kChecked, stored->id);
    const auto loaded = model();
    if (!loaded) return interrupted();
    auto found = known(stored->id, *loaded);
    if (found.empty()) {
      const auto tagged = tag(*file, *loaded);
      if (!tagged) return fail(redact_path(tagged.error(), *file));
      found = tagging_text(*tagged);
    }
    if (stop_.stop_requested()) return interrupted();
    reporter_.say("keep", kTagged);
    return keep(*stored, *loaded, found);
  }

 private:
  Result<std::string> interrupted() const { return fail(Code::interrupted, job_.name + ": stopped"); }

  // Messages are for the owner: they name the file, not its path on the server.
  [[nodiscard]] Error redact_path(Error error, const fs::path& file) const {
    const auto name = job_.name.empty() ? std::string("the video") : job_.name;
    const auto path = file.string(), own = file.filename().string();
    for (auto at = error.message.find(path); at != std::string::npos; at = error.message.find(path, at + name.size()))
      error.message.replace(at, path.size(), name);
    if (error.message.starts_with(own + ":")) error.message.replace(0, own.size(), name);
    return error;
  }

  [[nodiscard]] Clock::time_point fetch_deadline() const {
    return Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(state_.config.fetch_seconds));
  }

  // A full disk is no fault of the job: it waits.
  void check_room() const {
    if (const auto room = state_.uploads.check_room(); !room) throw Exception(room.error());
  }

  Result<fs::path> bytes() {
    check_room();
    if (!job_.upload.empty()) {
      const auto upload = state_.uploads.find(job_.upload);
      if (!upload) return fail(Code::not_found, "the uploaded bytes are not here any more; upload the video again");
      return upload->file;
    }
    reporter_.say("fetch", 0.0);
    auto fetched = timed("fetch", [&] { return state_.dependencies.fetch(job_.reference, fetch_deadline()); });
    if (!fetched) return fail(fetched.error());
    fetched_ = std::move(*fetched);
    return fs::path("/proc/self/fd") / std::to_string(fetched_.get());
  }

  // Waits until the first model is loaded.
  std::shared_ptr<const LoadedModel> model() const {
    auto loaded = state_.model_slot.now();
    while (!loaded && !stop_.stop_requested()) {
      std::this_thread::sleep_for(100ms);
      loaded = state_.model_slot.now();
    }
    return loaded;
  }

  // The stored result of this model for this video.
  std::string known(const std::string& video, const LoadedModel& loaded) const {
    const auto tagging = state_.working_taggings.find(video);
    if (!tagging || tagging->model != loaded.key) return {};
    const auto json = Json::parse(tagging->result, nullptr, false);
    return json.is_object() && !json.value("partial", true) ? tagging->result : std::string();
  }

  Result<tag::TagResult> tag(const fs::path& file, const LoadedModel& loaded) {
    Descriptor bytes(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!bytes.is_open()) return fail(Code::not_found, "the bytes of this video are not here any more");
    return timed("forward", [&]() -> Result<tag::TagResult> {
      const auto decoder = media::Decoder::open_untrusted(std::move(bytes), job_.name, state_.dependencies.limits);
      if (!decoder) return fail(decoder.error());
      tag::TagRequest request{.threshold = 0.0, .top = kKeptTags, .stop = stop_};
      if (job_.deadline > 0) {
        // A job that waited past its deadline still gets one view.
        const double left = static_cast<double>(job_.created) + job_.deadline - static_cast<double>(std::time(nullptr));
        request.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                              std::chrono::duration<double>(std::max(left, 0.05)));
      }
      request.progress = [&](double share) { reporter_.say("tag", kChecked + share * (kTagged - kChecked)); };
      return loaded.model->tag(**decoder, job_.name, request);
    });
  }

  // Steps are ordered so that a retry after a kill between two of them completes the rest.
  Result<std::string> keep(const ingest::IngestedVideo& stored, const LoadedModel& loaded, const std::string& found) {
    if (!state_.catalog->videos.get(stored.id)) {
      auto video = ingest::video_row(stored);
      video.source = std::string(catalog::kUploadSource);
      video.group = job_.owner;  // keeps an owner's videos on one side of a split
      const auto added = state_.catalog->record({.video = video, .fingerprint = stored.fingerprint});
      if (added == catalog::AddOutcome::forgotten) {
        ingest::undo_ingest(stored, *state_.catalog, state_.dependencies.store);
        return fail(Code::permission_denied, "this video was forgotten here and may not come back");
      }
    }
    state_.working_ownership.add_owner(job_.owner, stored.id, job_.name, job_.client);
    const auto view = tags_json(stored.id, found, kKeptTags, std::nullopt);
    std::vector<std::string> sure;
    index::Prediction prediction{.video = stored.id, .model = {loaded.model->name(), loaded.key}};
    for (const auto& tag : view["tags"]) {
      sure.push_back(tag["hashtag"].get<std::string>());
      index::Tag kept{.hashtag = sure.back(), .score = tag["score"].get<double>()};
      for (const auto& s : tag["segments"]) kept.segments.push_back({s[0].get<double>(), s[1].get<double>()});
      prediction.tags.push_back(std::move(kept));
    }
    state_.working_taggings.put(stored.id, loaded.key, found, sure);
    if (const auto video = state_.catalog->videos.get(stored.id))
      state_.dependencies.index.put_texts(
          {{{.video = video->id, .caption = video->caption, .typed = video->hashtags}}});
    state_.dependencies.index.put_predictions({{prediction}});
    return stored.id;
  }

  ServerState& state_;
  TagPlaces& places_;
  const catalog::Job& job_;
  Reporter& reporter_;
  std::stop_token stop_;
  Descriptor fetched_;
};

// Whether the catalog or the store is unavailable; they throw, while errors of a video are returned.
bool is_memory_away(const Error& thrown) {
  return thrown.code == Code::unavailable || thrown.code == Code::permission_denied;
}

enum class Cause { itself, memory_away, stop };

// False: the job is back in the queue. Throws if the queue is unavailable.
bool close(ServerState& state, const catalog::Job& job, const Result<std::string>& ended, Cause cause) {
  auto& jobs = state.working_jobs;
  if (cause == Cause::stop) {
    jobs.give_back(job.id, state.node_id);
    return false;
  }
  const auto age = static_cast<std::int64_t>(std::time(nullptr)) - job.created;
  if (cause == Cause::memory_away && age < kPatience) {
    log::warning("job_waits", {{"reason", ended.error().message}});
    jobs.defer(job.id, state.node_id, std::clamp<std::int64_t>(age / 4, 1, kMaxWait), "wait");
    return false;
  }
  if (jobs.finish(job.id, state.node_id, ended) && !job.upload.empty()) state.uploads.remove(job.upload);
  jobs.prune_beyond(job.owner, state.config.max_kept_jobs, job.client, kNamesOfClient * state.config.max_kept_jobs);
  return true;
}

// The same, but retries until the queue is available.
bool close_in_time(ServerState& state, const catalog::Job& job, const Result<std::string>& ended, Cause cause,
                   const std::stop_token& stop) {
  while (true) {
    try {
      return close(state, job, ended, cause);
    } catch (const Exception& e) {
      if (e.code() != Code::unavailable || stop.stop_requested()) throw;
      log::warning("queue_unreachable", {{"reason", e.what()}});
      std::this_thread::sleep_for(1s);
    }
  }
}

}  // namespace

JobWorkers::JobWorkers(ServerState& state, int workers, int fetchers) : state_(state), places_(workers) {
  using Kind = catalog::JobChoice::Kind;
  const auto start = [this](const catalog::JobChoice& choice, int threads) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this, choice](const std::stop_token& stop) { run(choice, stop); });
  };
  start({.kind = Kind::upload, .per_client = std::max(1, workers - 1)}, workers);
  start({.kind = Kind::reference, .per_client = std::max(1, fetchers / 2)}, fetchers);
}

JobWorkers::~JobWorkers() {
  for (auto& thread : threads_) thread.request_stop();
}

void JobWorkers::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++news_;
  }
  wake_.notify_all();
}

void JobWorkers::run(const catalog::JobChoice& choice, const std::stop_token& stop) {
  for (std::uint64_t known = 0; !stop.stop_requested();) {
    std::optional<catalog::Job> job;
    try {
      job = state_.working_jobs.claim(state_.node_id, state_.node_id, kLease, choice);
    } catch (const std::exception& e) {
      log::error("queue_unreachable", {{"reason", e.what()}});
    }
    if (job) {
      work_on(*job, stop);
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, 1s, [&] { return news_ != known; });
    known = news_;
  }
}

void JobWorkers::work_on(const catalog::Job& job, const std::stop_token& stop) try {
  const log::Scope scope{{"job", job.id}};
  const auto start = Clock::now();
  std::stop_source job_stop;
  const std::stop_callback forward(stop, [&] { job_stop.request_stop(); });
  Result<std::string> ended = fail(Code::internal, "not worked on");
  auto cause = Cause::itself;
  {
    Reporter reporter(state_, job, job_stop);
    try {
      ended = JobRun(state_, places_, job, reporter, job_stop.get_token()).run();
    } catch (const Exception& e) {
      ended = fail(e.error());
      if (is_memory_away(e.error())) cause = Cause::memory_away;
    } catch (const std::exception& e) {
      ended = fail(Code::internal, e.what());
    }
    if (reporter.lost()) return;  // cancelled, or claimed by another server
  }
  // Ended by the stop, directly or through a cut-off operation: put it back for the next server.
  const bool is_cut_off = !ended && (ended.error().code == Code::interrupted ||
                                     (ended.error().code == Code::unavailable && job.reference.empty()));
  if (is_cut_off && stop.stop_requested()) cause = Cause::stop;
  const bool is_over = close_in_time(state_, job, ended, cause, stop);
  state_.job_events.wake();
  if (!is_over) return;
  const std::string outcome = ended ? "done" : std::string(code_name(ended.error().code));
  state_.metrics.counter("reeltag_serve_jobs_total", "Jobs that ended", {{"outcome", outcome}}).add();
  log::info("job", {{"outcome", outcome},
                    {"message", ended ? std::string() : ended.error().message},
                    {"seconds", Clock::now() - start}});
} catch (const std::exception& e) {
  // The lease expires, and a worker claims the job again.
  log::error("job_lost", {{"job", job.id}, {"reason", e.what()}});
}

}  // namespace reeltag::serve

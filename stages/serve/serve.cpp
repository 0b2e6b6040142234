#include "reeltag/serve.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

#include <thread>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/serve/sagemaker.hpp"
#include "replies.hpp"
#include "service.hpp"
#include "work.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kLookEvery = 1s;    // for another model
constexpr auto kHealthEvery = 5s;  // how old an answer of /readyz may be
constexpr auto kTidyEvery = 60s;
constexpr int kOtherThreads = 4;
constexpr double kDay = 86'400;
constexpr std::size_t kMostName = 200;

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// One server works in a home: two would take each other's uploads for their own.
class Home {
 public:
  explicit Home(const fs::path& home) {
    const auto folder = home / "uploads";
    fs::create_directories(folder);
    lock_ = Descriptor(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_.is_open()) throw Exception(Code::permission_denied, folder.string() + ": cannot be written");
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw Exception(Code::unavailable, "another server works in " + home.string() + "; give this one a --home");
    }
    const auto file = folder / "place";
    if (auto text = read_file(file, 1024); text && !text->empty()) {
      place_ = *text;
      return;
    }
    std::array<std::uint8_t, 16> random{};
    if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
      throw Exception(Code::unavailable, "no random numbers");
    place_ = hex(random);
    write_file(file, place_);
  }
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  Descriptor lock_;
  std::string place_;
};

// What has to be done now and then: following the model, clearing up, knowing whether the memory answers.
class Keeper {
 public:
  explicit Keeper(Service& service) : service_(service) {}

  [[nodiscard]] bool healthy() const { return healthy_; }
  // Until the stop. The first model that cannot be loaded ends it, by this.
  void run(const std::stop_token& stop, const std::function<void(const std::exception&)>& on_failure) {
    auto health = Clock::now(), tidy = Clock::now();
    while (!stop.stop_requested()) {
      try {
        service_.serving.follow();
      } catch (const std::exception& e) {
        return on_failure(e);
      }
      if (Clock::now() >= health) look(), health = Clock::now() + kHealthEvery;
      if (Clock::now() >= tidy || woken_.exchange(false)) clear_up(), tidy = Clock::now() + kTidyEvery;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kLookEvery, [this] { return woken_.load(); });
    }
  }
  void wake() {
    woken_ = true;
    wake_.notify_one();
  }

 private:
  void look() {
    try {
      std::int64_t queued = 0;
      for (const auto& [state, count] : service_.working_jobs.counts())
        if (state == "queued") queued = count;
      service_.metrics.gauge("reeltag_queue_depth", "Jobs that wait").set(static_cast<double>(queued));
      service_.parts.store.stat("videos/0");
      healthy_ = true;
    } catch (const std::exception& e) {
      if (healthy_.exchange(false)) log::error("memory_unreachable", {{"reason", e.what()}});
    }
  }

  void clear_up() {
    try {
      for (const auto& [video, key] : service_.working_shelf.leftovers()) {
        service_.parts.store.remove(key);
        service_.thumbnails.remove(video);
        service_.parts.index.remove([&video = video](const std::string& row) { return row == video; });
        service_.working_shelf.forget_leftover(video);
        log::info("video_removed", {{"video", video}});
      }
      const auto has_ended = [this](const std::string& id) {
        const auto job = service_.working_jobs.get(id);
        return !job || job->state == catalog::JobState::done || job->state == catalog::JobState::failed;
      };
      if (const auto expired = service_.uploads.expire(has_ended); expired > 0)
        log::info("uploads_expired", {{"count", expired}});
      service_.working_jobs.prune(static_cast<std::int64_t>(service_.config.keep_jobs_days * kDay));
    } catch (const std::exception& e) {
      log::warning("not_cleared_up", {{"reason", e.what()}});
    }
  }

  Service& service_;
  std::atomic<bool> healthy_ = false, woken_ = true;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

void add_probe_routes(server::Router& router, const Service& service, const Keeper& keeper,
                      const server::Server& http) {
  const server::RouteOptions probe{.limited = false, .quiet = true};
  const auto say = [](bool good, const char* why) {
    return good ? server::text("ok\n") : server::problem(503, "unavailable", why);
  };
  router.get("/healthz", [=](const server::Request&) { return say(true, ""); }, probe);
  router.get(
      "/startupz",
      [&, say](const server::Request&) { return say(service.serving.now() != nullptr, "the model is still loading"); },
      probe);
  router.get(
      "/readyz",
      [&, say](const server::Request&) {
        if (!http.is_ready()) return say(false, "ending");
        if (service.serving.now() == nullptr) return say(false, "the model is still loading");
        return say(keeper.healthy(), "the catalog or the store does not answer");
      },
      probe);
}

void add_routes(server::Router& router, Service& service) {
  add_session_routes(router, service);
  add_video_routes(router, service);
  add_tag_routes(router, service);
  add_job_routes(router, service);
  add_library_routes(router, service);
  add_model_routes(router, service);
  add_page_routes(router, service);
  service.uploads.add_routes(router,
                             [&service](const server::Request& request) -> std::variant<std::string, server::Response> {
                               auto asked = service.door.ask(request, Scope::write);
                               if (auto* refusal = std::get_if<server::Response>(&asked)) return std::move(*refusal);
                               return std::get<Asker>(asked).owner;
                             });
}

// SageMaker's contract on the same port. Only /ping is for everybody.
void add_sagemaker_routes(server::Router& router, Service& service, const server::Server& http) {
  // Some threads are left for everything else.
  const int threads = service.config.http.worker_threads;
  const sagemaker::Options options{.scratch = service.parts.home / "uploads",
                                   .max_request_bytes = service.config.upload.max_bytes,
                                   .at_once = std::max(1, threads - std::min(threads / 2, kOtherThreads))};
  // Not for strangers: it reads with the server's own credentials.
  const bool objects = !service.door.is_open() || service.door.may_read_objects({});
  const auto model = [&service] {
    const auto served = service.serving.now();
    return served ? served->model : nullptr;
  };
  sagemaker::add_routes(router, options,
                        {.model = model,
                         .is_ready = [&http] { return http.is_ready(); },
                         .url = service.parts.fetch,
                         .s3 = objects ? service.parts.fetch : sagemaker::Fetch(),
                         .limits = service.parts.limits});
  router.check([&service](const server::Request& request) -> std::optional<server::Response> {
    if (request.route != "/invocations") return std::nullopt;
    auto asked = service.door.ask(request, Scope::write);
    if (auto* refusal = std::get_if<server::Response>(&asked)) return std::move(*refusal);
    return std::nullopt;
  });
}

}  // namespace

Service::Service(const ServeConfig& configuration, const Parts& some, std::string home, bool open, bool loopback,
                 const std::shared_ptr<catalog::Connection>& asking,
                 const std::shared_ptr<catalog::Connection>& working)
    : config(configuration),
      parts(some),
      place(std::move(home)),
      catalog(catalog::open(some.catalog)),
      jobs(asking),
      working_jobs(working),
      shelf(asking),
      working_shelf(working),
      tokens(asking),
      serving(some, metrics),
      thumbnails(some.home / "cache" / "thumbnails", some.store, some.limits),
      feed(working_jobs),
      uploads(some.home / "uploads", configuration.upload,
              [this](const StoredUpload& upload) {
                const auto job = working_jobs.add({.owner = upload.owner,
                                                   .name = clean_line(upload.name, kMostName),
                                                   .upload = upload.id,
                                                   .place = place,
                                                   .deadline = upload.deadline});
                on_job();
                return job.id;
              }),
      door(tokens, open, loopback, configuration.hosts) {
  metrics.add_process();
}

void serve(const ServeConfig& config, const Parts& parts, const std::stop_token& stop) {
  const bool loopback = is_loopback(config.http.host);
  const bool open = config.auth == "open" || (config.auth == "auto" && loopback);
  const Home home(parts.home);
  Service service(config, parts, home.place(), open, loopback, catalog::connect(parts.catalog),
                  catalog::connect(parts.catalog));
  server::Server http(config.http, service.metrics);
  if (const auto left = service.working_jobs.release(home.place()); left > 0)
    log::info("jobs_resumed", {{"count", left}});
  service.uploads.recover();
  Keeper keeper(service);
  server::Router router;
  add_routes(router, service);
  add_probe_routes(router, service, keeper, http);
  add_sagemaker_routes(router, service, http);

  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });
  std::optional<Error> failure;
  {
    Workers workers(service, config.workers);
    service.on_job = [&] {
      workers.wake();
      service.feed.wake();
    };
    service.on_removal = [&] { keeper.wake(); };
    std::jthread keeping([&](const std::stop_token& over) {
      keeper.run(over, [&](const std::exception& e) {
        const auto* ours = dynamic_cast<const Exception*>(&e);
        failure = ours != nullptr ? ours->error() : Error{Code::internal, e.what()};
        end.request_stop();
      });
    });
    if (open && !loopback) log::warning("open_to_all", {{"message", "anybody who reaches this server may use it"}});
    if (!open && service.tokens.list().empty())
      log::warning("no_token", {{"message", "nobody can get in yet: reeltag tokens new NAME --scope operator"}});
    if (parts.on_listening) parts.on_listening(http.port());
    http.run(router, end.get_token());
    service.on_job = [] {};
    service.on_removal = [] {};
  }
  if (failure) throw Exception(*failure);
}

}  // namespace reeltag::serve

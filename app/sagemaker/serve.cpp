// sagemaker serve: the server is there at once and unhealthy until the model is loaded and has tagged a drawn video.
#include "sagemaker/sagemaker.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/http/server.hpp"
#include "reeltag/tagger.hpp"
#include "reeltag/untrusted.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;
namespace server = http::server;

// SIGKILL comes 30 s after SIGTERM: a second in which /ping says 503, and time for what runs.
constexpr double kDrainDelay = 1.0, kDrainTimeout = 25.0;
constexpr int kOtherThreads = 8;        // for /ping beside invocations
constexpr double kIdleTimeout = 300.0;  // of the platform's own connections

// A video of two seconds with something that moves.
void draw_video(const fs::path& file) {
  constexpr int kCount = 16, kSide = 64;
  constexpr double kFps = 8.0;
  media::Frames frames{.count = kCount, .height = kSide, .width = kSide, .data = {}, .times = {}};
  for (int t = 0; t < kCount; ++t) {
    frames.times.push_back(t / kFps);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        for (const int value : {4 * x + 8 * t, 4 * y, x + y}) frames.data.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  value_or_throw(media::encode_mp4(frames, kFps, file));
}

// The way of every video: isolated decoding, the net, the choice of tags.
void test_model(tag::Model& model, const media::Limits& limits) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "self-test.mp4";
  draw_video(file);
  Descriptor bytes = open_unnamed_file(folder.path());
  const auto text = value_or_throw(read_file(file, 1 << 20));
  if (::write(bytes.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Exception(Code::unavailable, folder.path().string() + " cannot be written");
  const auto video = value_or_throw(media::Decoder::open_untrusted(std::move(bytes), "self-test", limits));
  const auto tagged = value_or_throw(model.tag(*video, "self-test", {.threshold = 0.0}));
  for (const auto& tag : tagged.tags) {
    if (!std::isfinite(tag.score))
      throw Exception(Code::corrupt, "model " + model.folder().string() + " gives a score that is no number");
  }
}

// A model may be larger than the memory.
std::shared_ptr<tag::Model> load(const fs::path& folder, const Config& config) {
  try {
    auto model = tag::load_model(folder, config.tag);
    test_model(*model, config.media);
    return model;
  } catch (const std::bad_alloc&) {
    throw Exception(Code::unavailable, "model " + folder.string() + ": out of memory");
  }
}

// Of memory, for weights of one byte on the disk: the net's own, and what passes through it.
constexpr std::uint64_t kMemoryOfByte = 3;

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  return bytes;
}

std::uint64_t free_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("MemAvailable:")) return 1024 * std::stoull(line.substr(13));
  }
  return std::numeric_limits<std::uint64_t>::max();
}

// One of many models. Without memory for it the platform unloads others, and asks again.
Result<std::shared_ptr<tag::Model>> load_one(const fs::path& folder, const Config& config) {
  try {
    const auto bundle = bundle_in(folder);
    const auto needed = kMemoryOfByte * bytes_in(bundle);
    if (needed > free_memory())
      return fail(Code::unavailable,
                  "model " + folder.string() + " needs " + std::to_string(needed) + " bytes of memory");
    return load(bundle, config);
  } catch (const Exception& e) {
    return fail(e.error());
  } catch (const fs::filesystem_error& e) {
    return fail(Code::not_found, e.what());
  }
}

// A model that comes later, or the reason why it does not.
class Loading {
 public:
  Loading(const fs::path& folder, const Config& config, std::stop_source& ending)
      : thread_([this, folder, &config, &ending] { run(folder, config, ending); }) {}

  std::shared_ptr<tag::Model> model() {
    const std::lock_guard lock(mutex_);
    return model_;
  }

  // After the server's end.
  void throw_if_failed() {
    thread_.join();
    if (failure_) throw Exception(*failure_);
  }

 private:
  void run(const fs::path& folder, const Config& config, std::stop_source& ending) {
    try {
      auto model = load(bundle_in(folder), config);
      log::info("model_ready", {{"model", model->name()}, {"folder", model->folder()}});
      const std::lock_guard lock(mutex_);
      model_ = std::move(model);
    } catch (const Exception& e) {
      failure_ = e.error();
      ending.request_stop();
    } catch (const std::exception& e) {
      failure_ = Error{Code::internal, e.what()};
      ending.request_stop();
    }
  }

  std::mutex mutex_;
  std::shared_ptr<tag::Model> model_;
  std::optional<Error> failure_;
  std::jthread thread_;  // last: it uses the others
};

server::Options server_options(const serve::sagemaker::Container& container) {
  server::Options o;
  o.host = "0.0.0.0";
  o.port = container.port;
  o.worker_threads = container.options.at_once + kOtherThreads;
  o.requests_per_second = 0;  // all come from the platform
  o.max_connections_per_address = o.max_connections;
  o.idle_timeout = kIdleTimeout;
  o.drain_delay = kDrainDelay;
  o.drain_timeout = kDrainTimeout;
  return o;
}

}  // namespace

void run_sagemaker_serve(Context& context, const SagemakerArguments& arguments) {
  const auto container = container_of(arguments);
  settle(context);
  context.start();
  metrics::Registry registry;
  registry.add_process();
  server::Server listening(server_options(container), registry);
  std::stop_source ending;
  const std::stop_callback on_signal(stop::token(), [&] { ending.request_stop(); });
  std::optional<Loading> loading;
  if (!container.many_models) loading.emplace(container.base / "model", context.config(), ending);
  const auto options = context.fetch_options();
  ingest::ObjectFetcher objects(options);
  const serve::sagemaker::Sources sources{
      .model = [&] { return loading ? loading->model() : nullptr; },
      .is_ready = [&] { return listening.is_ready() && (!loading || loading->model() != nullptr); },
      .url = [&](const std::string& url, auto deadline) { return ingest::fetch_url(options, url, deadline); },
      .s3 = [&](const std::string& uri, auto deadline) { return objects.fetch(uri, deadline); },
      .limits = context.config().media};
  server::Router router;
  serve::sagemaker::add_routes(router, container.options, sources);
  if (container.many_models) {
    serve::sagemaker::add_model_routes(router, container.options, sources,
                                       [&](const fs::path& folder) { return load_one(folder, context.config()); });
  }
  router.get("/metrics", [&](const server::Request& r) { return server::metrics_response(r, registry); });
  log::info("listening", {{"port", listening.port()}});
  listening.run(router, ending.get_token());
  if (loading) loading->throw_if_failed();
}

}  // namespace reeltag::app

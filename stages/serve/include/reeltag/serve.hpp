// Runs the server: a page, an API, and jobs that tag uploaded videos. Uses models through tag::Model only.
// serve() blocks the calling thread until the stop; one server per home. Refers to store and index, which must outlive
// the call. Failure: Exception if it cannot start (invalid_config; unavailable: address or home in use, lost catalog);
// afterwards a failing request, upload, job or model is answered, logged and counted, and the server continues. A kill
// loses nothing acknowledged: jobs are in the catalog, uploads on the disk (docs/adr/0077).
//
//   serve::serve(config.serve, {.home = home, .catalog = location, .store = *store, .index = *index, ...}, stop);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/http/server.hpp"
#include "reeltag/index.hpp"
#include "reeltag/media.hpp"
#include "reeltag/registry.hpp"
#include "reeltag/store.hpp"
#include "reeltag/tag.hpp"
#include "reeltag/upload.hpp"

namespace reeltag::serve {

struct ServeConfig {
  http::server::Options http = {};
  UploadOptions upload = {};
  std::string auth = "auto";
  std::string metrics = "auto";
  std::vector<std::string> hosts = {};
  int workers = 2;
  int fetchers = 4;
  double fetch_seconds = 300.0;
  std::int64_t fetch_min_rate = 32 << 10;
  int max_jobs = 200;
  int max_kept_jobs = 500;
  int max_feedback = 100;
  int max_videos = 2000;
  std::int64_t max_stored_bytes = 20LL << 30;
  int max_streams = 16;
  double keep_jobs_days = 30.0;
};
template <class V>
void visit(V& v, ServeConfig& c) {
  v.section("http", c.http);
  v.section("upload", c.upload);
  v("auth", c.auth,
    "Who may ask: open (visitors, by a cookie), tokens (`reeltag tokens`), or auto: open on loopback, else tokens",
    config::OneOf{{"auto", "open", "tokens"}});
  v("metrics", c.metrics, "Who may read /metrics: open (all), tokens, or auto: open on loopback, else tokens",
    config::OneOf{{"auto", "open", "tokens"}});
  v("hosts", c.hosts, "Names that the server is called by, e.g. [tags.example.org]; others are refused, if any is set");
  v("workers", c.workers, "Videos tagged at the same time; one client has all but one of them at most",
    config::Range{1, 256});
  v("fetchers", c.fetchers, "References fetched at the same time; one client has half of them at most",
    config::Range{1, 256});
  v("fetch_seconds", c.fetch_seconds, "Seconds for fetching one reference", config::Range{1, 86400});
  v("fetch_min_rate", c.fetch_min_rate, "Bytes a second that a reference must come with on average",
    config::Range{0, 1e12});
  v("max_jobs", c.max_jobs, "Unfinished jobs of one owner, and of all visitors from one address; more are answered 429",
    config::Range{1, 1e6});
  v("max_kept_jobs", c.max_kept_jobs, "Finished jobs kept of one owner; the oldest go first", config::Range{1, 1e6});
  v("max_feedback", c.max_feedback, "Hashtags that one owner may judge or add per video", config::Range{1, 1e5});
  v("max_videos", c.max_videos, "Videos kept of one visitor, also of all visitors from one address; more are refused",
    config::Range{1, 1e9});
  v("max_stored_bytes", c.max_stored_bytes, "Bytes of these videos", config::Range{1, 1e15});
  v("max_streams", c.max_streams, "Event streams open for one client; more are answered 429", config::Range{1, 1e6});
  v("keep_jobs_days", c.keep_jobs_days, "Days for which finished jobs are kept", config::Range{0.01, 36500});
}

// Fetches a reference (https://..., s3://...) into an unnamed file before the deadline. Called from several threads.
using Fetch =
    std::function<Result<Descriptor>(const std::string& reference, std::chrono::steady_clock::time_point deadline)>;
using LoadModel = std::function<std::shared_ptr<tag::Model>(const std::filesystem::path& bundle)>;

// A hashtag that was collected live, and how its newest collection ended; "" while it runs.
struct Collection {
  std::string source, hashtag, ended;
  std::int64_t videos = 0;
};

struct Dependencies {
  std::filesystem::path home;
  std::string catalog;  // as for catalog::open
  store::Store& store;
  index::Index& index;
  media::Limits limits = {};
  registry::ModelFolders places = {};
  std::string model = {};  // in the form of registry::find_model; an alias is followed
  Fetch fetch = {};
  LoadModel load = {};
  std::function<std::vector<Collection>(catalog::Catalog&)> collections = {};
  std::string version = {};  // of the program
  // Called once the server accepts requests; the model may still be loading.
  std::function<void(int port)> on_listening = {};
};

void serve(const ServeConfig& config, const Dependencies& dependencies, const std::stop_token& stop);

}  // namespace reeltag::serve

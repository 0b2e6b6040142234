// All that a running server holds, for its routes and its threads. Private to serve; the members are thread-safe.
#pragma once

#include <string>

#include "asker.hpp"
#include "feed.hpp"
#include "reeltag/base/metrics.hpp"
#include "reeltag/serve.hpp"
#include "serving.hpp"
#include "thumbnails.hpp"

namespace reeltag::serve {

struct Service {
  // asking, working: connections of requests and of jobs, so that the one does not wait for the other.
  Service(const ServeConfig& configuration, const Parts& some, std::string home, bool open, bool loopback,
          const std::shared_ptr<catalog::Connection>& asking, const std::shared_ptr<catalog::Connection>& working);

  const ServeConfig& config;
  const Parts& parts;
  std::string place;  // names this home among those that share the catalog
  metrics::Registry metrics;
  std::unique_ptr<catalog::Catalog> catalog;
  catalog::Jobs jobs, working_jobs;
  catalog::Shelf shelf, working_shelf;
  catalog::Tokens tokens;
  Serving serving;
  Thumbnails thumbnails;
  Feed feed;
  Uploads uploads;
  Door door;
  std::function<void()> on_job = [] {};      // one was accepted
  std::function<void()> on_removal = [] {};  // of a video, whose bytes are still there
};

// The routes, by subject.
void add_session_routes(server::Router& router, Service& service);
void add_video_routes(server::Router& router, Service& service);
void add_tag_routes(server::Router& router, Service& service);
void add_job_routes(server::Router& router, Service& service);
void add_library_routes(server::Router& router, Service& service);
void add_model_routes(server::Router& router, Service& service);
void add_page_routes(server::Router& router, Service& service);

}  // namespace reeltag::serve

// All that a running server holds, for its routes and its threads. Private to serve; the members are thread-safe.
#pragma once

#include <string>

#include "auth/authenticator.hpp"
#include "jobs/job_events.hpp"
#include "model_slot.hpp"
#include "reeltag/base/metrics.hpp"
#include "reeltag/serve.hpp"
#include "thumbnails.hpp"

namespace reeltag::serve {

struct ServerState {
  // asking, working: connections of requests and of jobs, so that the one does not wait for the other.
  ServerState(const ServeConfig& configuration, const Dependencies& some, std::string home, bool open, bool loopback,
              const std::shared_ptr<catalog::Connection>& asking, const std::shared_ptr<catalog::Connection>& working);

  const ServeConfig& config;
  const Dependencies& dependencies;
  std::string node_id;  // names this home among those that share the catalog
  metrics::Registry metrics;
  std::unique_ptr<catalog::Catalog> catalog;
  catalog::Jobs jobs, working_jobs;
  catalog::Ownership ownership, working_ownership;
  catalog::Taggings working_taggings;
  catalog::FeedbackLog feedback;
  catalog::Tokens tokens;
  ModelSlot model_slot;
  Thumbnails thumbnails;
  JobEvents job_events;
  Uploads uploads;
  Authenticator authenticator;
  std::function<void()> on_job = [] {};      // one was accepted
  std::function<void()> on_removal = [] {};  // of a video, whose bytes are still there
};

// The routes, by subject.
void add_session_routes(server::Router& router, ServerState& state);
void add_video_routes(server::Router& router, ServerState& state);
void add_tag_routes(server::Router& router, ServerState& state);
void add_job_routes(server::Router& router, ServerState& state);
void add_library_routes(server::Router& router, ServerState& state);
void add_model_routes(server::Router& router, ServerState& state);
void add_page_routes(server::Router& router, ServerState& state);

}  // namespace reeltag::serve

// The state of a running server, shared by its routes and threads. Private to serve; the members are thread-safe. Owns
// its members; refers to config and dependencies. Throws if the catalog cannot be opened.
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
  // asking, working: separate connections for requests and for jobs, so that neither waits for the other.
  ServerState(const ServeConfig& configuration, const Dependencies& some, std::string node, const AccessRules& rules,
              const std::shared_ptr<catalog::Connection>& asking, const std::shared_ptr<catalog::Connection>& working);

  // In whose turn a request waits and whose quota it counts for. A visitor may have as many names as it likes, so its
  // address counts, as a hash keyed with this home's secret.
  [[nodiscard]] std::string turn_of(const std::string& owner, const std::string& client) const;
  // Nothing, or 429: the visitor, or all from its address, have as many videos here as they may.
  std::optional<http::server::Response> over_quota(const Principal& principal, const std::string& client);
  // Fails with invalid_argument if the upload's key belongs to another request.
  Result<UploadJob> add_job(const CompletedUpload& upload);

  const ServeConfig& config;
  const Dependencies& dependencies;
  std::string node_id;  // identifies this home among those that share the catalog
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
  bool open_metrics;                         // /metrics needs no token
  std::string secret;                        // of this home
  std::function<void()> on_job = [] {};      // a job was accepted
  std::function<void()> on_removal = [] {};  // a video was removed; its bytes still exist
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

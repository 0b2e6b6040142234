#include "reeltag/serve.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include "api/replies.hpp"
#include "auth/local_token.hpp"
#include "home_lock.hpp"
#include "housekeeping.hpp"
#include "jobs/job_workers.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/serve/sagemaker.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;

constexpr int kOtherThreads = 4;
constexpr std::size_t kMaxUploadName = 200;

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void add_probe_routes(server::Router& router, const ServerState& state, const Housekeeping& housekeeping,
                      const server::Server& http) {
  const server::RouteOptions probe{.limited = false, .quiet = true};
  const auto say = [](bool good, const char* why) {
    return good ? server::text("ok\n") : server::problem(503, "unavailable", why);
  };
  router.get("/healthz", [=](const server::Request&) { return say(true, ""); }, probe);
  router.get(
      "/startupz",
      [&, say](const server::Request&) { return say(state.model_slot.now() != nullptr, "the model is still loading"); },
      probe);
  router.get(
      "/readyz",
      [&, say](const server::Request&) {
        if (!http.is_ready()) return say(false, "ending");
        if (state.model_slot.now() == nullptr) return say(false, "the model is still loading");
        return say(housekeeping.healthy(), "the catalog or the store does not answer");
      },
      probe);
}

void add_routes(server::Router& router, ServerState& state) {
  add_session_routes(router, state);
  add_video_routes(router, state);
  add_tag_routes(router, state);
  add_job_routes(router, state);
  add_library_routes(router, state);
  add_model_routes(router, state);
  add_page_routes(router, state);
  state.uploads.add_routes(router,
                           [&state](const server::Request& request) -> std::variant<std::string, server::Response> {
                             auto decision = state.authenticator.authorize(request, Scope::write);
                             if (auto* refusal = std::get_if<server::Response>(&decision)) return std::move(*refusal);
                             const auto& principal = std::get<Principal>(decision);
                             const bool creates = request.parameter("upload").empty();
                             auto refusal = creates ? state.over_quota(principal, request.client) : std::nullopt;
                             if (refusal) return std::move(*refusal);
                             return principal.owner;
                           });
}

// SageMaker's contract on the same port. Only /ping needs no authentication.
void add_sagemaker_routes(server::Router& router, ServerState& state, const server::Server& http) {
  // Leaves some threads for all other requests.
  const int threads = state.config.http.worker_threads;
  const sagemaker::Options options{.scratch = state.dependencies.home / "uploads",
                                   .max_request_bytes = state.config.upload.max_bytes,
                                   .at_once = std::max(1, threads - std::min(threads / 2, kOtherThreads))};
  const auto model = [&state] {
    const auto loaded = state.model_slot.now();
    return loaded ? loaded->model : nullptr;
  };
  sagemaker::add_routes(router, options,
                        {.model = model,
                         .is_ready = [&http] { return http.is_ready(); },
                         .url = state.dependencies.fetch,
                         .s3 = state.dependencies.fetch,
                         .may_read_objects =
                             [&state](const server::Request& request) {
                               return may_read_objects(state.authenticator.authenticate(request));
                             },
                         .limits = state.dependencies.limits});
}

// Before every route but the probes, which say nothing and are asked by address.
void add_check(server::Router& router, ServerState& state) {
  router.check([&state](const server::Request& request) -> std::optional<server::Response> {
    static constexpr std::array<std::string_view, 4> kProbes{"/healthz", "/readyz", "/startupz", "/ping"};
    if (std::find(kProbes.begin(), kProbes.end(), request.route) != kProbes.end()) return std::nullopt;
    if (request.route != "/invocations") return state.authenticator.refuse_host(request);
    auto decision = state.authenticator.authorize(request, Scope::write);
    if (auto* refusal = std::get_if<server::Response>(&decision)) return std::move(*refusal);
    return std::nullopt;
  });
}

}  // namespace

ServerState::ServerState(const ServeConfig& configuration, const Dependencies& some, std::string node,
                         const AccessRules& rules, const std::shared_ptr<catalog::Connection>& asking,
                         const std::shared_ptr<catalog::Connection>& working)
    : config(configuration),
      dependencies(some),
      node_id(std::move(node)),
      catalog(catalog::open(some.catalog)),
      jobs(asking),
      working_jobs(working),
      ownership(asking),
      working_ownership(working),
      working_taggings(working),
      feedback(asking),
      tokens(asking),
      model_slot(some, metrics),
      thumbnails(some.home / "cache" / "thumbnails", some.store, some.limits),
      job_events(working_jobs),
      uploads(some.home / "uploads", configuration.upload,
              [this](const CompletedUpload& upload) { return add_job(upload); }),
      authenticator(tokens, rules),
      open_metrics(configuration.metrics == "open" || (configuration.metrics == "auto" && rules.loopback)),
      secret(rules.local_token) {
  metrics.add_process();
}

std::string ServerState::turn_of(const std::string& owner, const std::string& client) const {
  if (!owner.starts_with("visitor:")) return owner;
  return "address:" + hex(sha256(secret + client)).substr(0, 32);
}

std::optional<server::Response> ServerState::over_quota(const Principal& principal, const std::string& client) {
  if (principal.kind != Principal::Kind::visitor) return std::nullopt;
  const auto turn = turn_of(principal.owner, client);
  const auto stored = ownership.usage(principal.owner, turn);
  const auto coming = jobs.unfinished(principal.owner, turn);
  if (stored.videos + coming < config.max_videos && stored.bytes < config.max_stored_bytes) return std::nullopt;
  return server::problem(429, "quota_exceeded",
                         "you, or others from your address, have " + std::to_string(stored.videos) +
                             " videos here, which is all that visitors may; remove some first");
}

Result<UploadJob> ServerState::add_job(const CompletedUpload& upload) {
  const auto job = working_jobs.add({.owner = upload.owner,
                                     .name = clean_line(upload.name, kMaxUploadName),
                                     .upload = upload.id,
                                     .node_id = node_id,
                                     .request_key = upload.request_key,
                                     .deadline = upload.deadline,
                                     .request_digest = upload.request_digest,
                                     .client = turn_of(upload.owner, upload.client)});
  on_job();
  if (job.upload != upload.id && job.request_digest != upload.request_digest)
    return fail(Code::invalid_argument, "the key of another request");
  return UploadJob{.id = job.id, .uses_upload = job.upload == upload.id};
}

void serve(const ServeConfig& config, const Dependencies& dependencies, const std::stop_token& stop) {
  const bool loopback = is_loopback(config.http.host);
  const bool open = config.auth == "open" || (config.auth == "auto" && loopback);
  const HomeLock home(dependencies.home);
  const AccessRules rules{.open = open,
                          .loopback = loopback,
                          .behind_proxy = config.auth == "open" || !config.http.trusted_proxies.empty(),
                          .hosts = config.hosts,
                          .local_token = local_token(dependencies.home)};
  ServerState state(config, dependencies, home.node_id(), rules, catalog::connect(dependencies.catalog),
                    catalog::connect(dependencies.catalog));
  server::Server http(config.http, state.metrics);
  if (const auto left = state.working_jobs.release(home.node_id()); left > 0)
    log::info("jobs_resumed", {{"count", left}});
  state.uploads.recover();
  Housekeeping housekeeping(state);
  server::Router router;
  add_routes(router, state);
  add_probe_routes(router, state, housekeeping, http);
  add_sagemaker_routes(router, state, http);
  add_check(router, state);

  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });
  std::optional<Error> failure;
  {
    JobWorkers workers(state, config.workers, config.fetchers);
    state.on_job = [&] {
      workers.wake();
      state.job_events.wake();
    };
    state.on_removal = [&] { housekeeping.wake(); };
    std::jthread keeping([&](const std::stop_token& over) {
      housekeeping.run(over, [&](const std::exception& e) {
        const auto* ours = dynamic_cast<const Exception*>(&e);
        failure = ours != nullptr ? ours->error() : Error{Code::internal, e.what()};
        end.request_stop();
      });
    });
    if (open && !loopback) log::warning("open_to_all", {{"message", "anybody who reaches this server may use it"}});
    if (!open && state.tokens.list().empty())
      log::warning("no_token", {{"message", "nobody can get in yet: reeltag tokens new NAME --scope operator"}});
    log::info("local_token", {{"file", (dependencies.home / kLocalTokenFile).string()},
                              {"message", "programs of this machine send it as Authorization: Bearer ..."}});
    if (dependencies.on_listening) dependencies.on_listening(http.port());
    http.run(router, end.get_token());
    state.on_job = [] {};
    state.on_removal = [] {};
  }
  if (failure) throw Exception(*failure);
}

}  // namespace reeltag::serve

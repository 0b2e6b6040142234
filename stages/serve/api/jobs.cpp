// /v1/jobs: list, show, follow and remove jobs.
#include "api/replies.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

bool is_job_id(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

// The job, or 404 if the principal has no such job.
std::variant<catalog::Job, server::Response> find_job(ServerState& state, const server::Request& request,
                                                      const Principal& principal) {
  const auto id = request.parameter("job");
  auto job = is_job_id(id) ? state.jobs.get(id) : std::nullopt;
  if (job && (job->owner == principal.owner || principal.may(Scope::operate))) return std::move(*job);
  return server::problem(404, "not_found", "there is no such job of yours");
}

server::Response list_jobs(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto limit = query_number(request, "limit", 1, 200, 50);
  const auto before = query_number(request, "cursor", 1, std::numeric_limits<std::int64_t>::max(), 0);
  if (!limit) return server::problem(400, "invalid_argument", limit.error().message);
  if (!before) return server::problem(400, "invalid_argument", "cursor is not one of this list");
  const auto jobs = principal.owner.empty()
                        ? std::vector<catalog::Job>{}
                        : state.jobs.list(principal.may(Scope::operate) ? "" : principal.owner, *before, *limit);
  Json list = Json::array();
  for (const auto& job : jobs) list.push_back(job_json(job, state.jobs.ahead(job)));
  Json out{{"jobs", list}};
  if (static_cast<std::int64_t>(jobs.size()) == *limit) out["next"] = std::to_string(jobs.back().number);
  return json_reply(out);
}

server::Response get_job(ServerState& state, const server::Request& request, const Principal& principal) {
  auto found = find_job(state, request, principal);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto& job = std::get<catalog::Job>(found);
  return json_reply(job_json(job, state.jobs.ahead(job)));
}

server::Response remove_job(ServerState& state, const server::Request& request, const Principal& principal) {
  auto found = find_job(state, request, principal);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto& job = std::get<catalog::Job>(found);
  state.jobs.remove(job.id);
  if (!job.upload.empty()) state.uploads.remove(job.upload);
  state.job_events.wake();
  return {.status = 204, .headers = {}, .body = {}};
}

server::Response follow_job(ServerState& state, const server::Request& request, const Principal& principal) {
  auto found = find_job(state, request, principal);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto id = std::get<catalog::Job>(found).id, client = state.turn_of(principal.owner, request.client);
  if (state.job_events.streams(client) >= state.config.max_streams)
    return server::problem(429, "too_many_streams",
                           "too many event streams of yours; ask for the job now and then instead");
  return server::events([&state, id, client](std::shared_ptr<server::EventStream> stream) {
    state.job_events.follow(id, std::move(stream), client);
  });
}

}  // namespace

void add_job_routes(server::Router& router, ServerState& state) {
  const auto bind = [&](auto function) {
    return [&state, function](const server::Request& r, const Principal& a) { return function(state, r, a); };
  };
  router.get("/v1/jobs", state.authenticator.guarded(Scope::read, bind(list_jobs)));
  router.get("/v1/jobs/{job}", state.authenticator.guarded(Scope::read, bind(get_job)));
  router.add("DELETE", "/v1/jobs/{job}", state.authenticator.guarded(Scope::write, bind(remove_job)));
  router.get("/v1/jobs/{job}/events", state.authenticator.guarded(Scope::read, bind(follow_job)));
}

}  // namespace reeltag::serve

// /v1/jobs: work that was accepted.
#include "replies.hpp"
#include "service.hpp"

namespace reeltag::serve {
namespace {

bool is_job_id(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

// The job, or the answer that there is none for this asker.
std::variant<catalog::Job, server::Response> find_job(Service& service, const server::Request& request,
                                                      const Asker& asker) {
  const auto id = request.parameter("job");
  auto job = is_job_id(id) ? service.jobs.get(id) : std::nullopt;
  if (job && (job->owner == asker.owner || asker.may(Scope::operate))) return std::move(*job);
  return server::problem(404, "not_found", "there is no such job of yours");
}

server::Response list_jobs(Service& service, const server::Request& request, const Asker& asker) {
  const auto limit = query_number(request, "limit", 1, 200, 50);
  const auto before = query_number(request, "cursor", 1, std::numeric_limits<std::int64_t>::max(), 0);
  if (!limit) return server::problem(400, "invalid_argument", limit.error().message);
  if (!before) return server::problem(400, "invalid_argument", "cursor is not one of this list");
  const auto jobs = asker.owner.empty()
                        ? std::vector<catalog::Job>{}
                        : service.jobs.list(asker.may(Scope::operate) ? "" : asker.owner, *before, *limit);
  Json list = Json::array();
  for (const auto& job : jobs) list.push_back(job_json(job, service.jobs.ahead(job)));
  Json out{{"jobs", list}};
  if (static_cast<std::int64_t>(jobs.size()) == *limit) out["next"] = std::to_string(jobs.back().number);
  return json_reply(out);
}

server::Response get_job(Service& service, const server::Request& request, const Asker& asker) {
  auto found = find_job(service, request, asker);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto& job = std::get<catalog::Job>(found);
  return json_reply(job_json(job, service.jobs.ahead(job)));
}

server::Response remove_job(Service& service, const server::Request& request, const Asker& asker) {
  auto found = find_job(service, request, asker);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto& job = std::get<catalog::Job>(found);
  service.jobs.remove(job.id);
  if (!job.upload.empty()) service.uploads.remove(job.upload);
  service.feed.wake();
  return {.status = 204, .headers = {}, .body = {}};
}

server::Response follow_job(Service& service, const server::Request& request, const Asker& asker) {
  auto found = find_job(service, request, asker);
  if (auto* refusal = std::get_if<server::Response>(&found)) return std::move(*refusal);
  const auto id = std::get<catalog::Job>(found).id;
  return server::events(
      [&service, id](std::shared_ptr<server::EventStream> stream) { service.feed.follow(id, std::move(stream)); });
}

}  // namespace

void add_job_routes(server::Router& router, Service& service) {
  const auto bind = [&](auto function) {
    return [&service, function](const server::Request& r, const Asker& a) { return function(service, r, a); };
  };
  router.get("/v1/jobs", service.door.guarded(Scope::read, bind(list_jobs)));
  router.get("/v1/jobs/{job}", service.door.guarded(Scope::read, bind(get_job)));
  router.add("DELETE", "/v1/jobs/{job}", service.door.guarded(Scope::write, bind(remove_job)));
  router.get("/v1/jobs/{job}/events", service.door.guarded(Scope::read, bind(follow_job)));
}

}  // namespace reeltag::serve

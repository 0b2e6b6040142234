// /v1/videos: add, list, show and remove videos.
#include <charconv>
#include <fstream>

#include "api/replies.hpp"
#include "api/visible_video.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/media/file_types.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr std::size_t kMaxReference = 16 << 10;  // bytes of a JSON body
constexpr std::size_t kMaxName = 200, kMaxUrl = 4008;
constexpr double kMaxDeadline = 3600;

server::Response list_videos(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto limit = query_number(request, "limit", 1, 200, 50);
  const auto before = query_number(request, "cursor", 1, std::numeric_limits<std::int64_t>::max(), 0);
  if (!limit) return server::problem(400, "invalid_argument", limit.error().message);
  if (!before) return server::problem(400, "invalid_argument", "cursor is not one of this list");
  const auto of = request.query_value("of").value_or("all");
  if (of != "mine" && of != "library" && of != "all")
    return server::problem(400, "invalid_argument", "of must be mine, library or all");
  const auto hashtag = request.query_value("hashtag");
  if (hashtag && (hashtag->empty() || characters(*hashtag) > 200))
    return server::problem(400, "invalid_argument", "hashtag must have 1 to 200 characters");
  const auto which = of == "mine"      ? catalog::Visibility::mine
                     : of == "library" ? catalog::Visibility::library
                                       : catalog::Visibility::all;
  const auto name = clean_line(hashtag.value_or(""), 1000);
  if (hashtag && name.empty()) return json_reply({{"videos", Json::array()}});
  const auto view = state.ownership.list(principal.viewer(), which, name, *before, *limit);
  Json list = Json::array();
  for (const auto& one : view) list.push_back(video_json(one));
  Json out{{"videos", list}};
  if (static_cast<std::int64_t>(view.size()) == *limit) out["next"] = std::to_string(view.back().number);
  return json_reply(out);
}

server::Response get_video(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto view = find_video(state, request, principal);
  return view ? json_reply(video_json(*view)) : no_such_video();
}

std::string first_bytes(const std::filesystem::path& file) {
  std::string bytes(media::kMediaTypeBytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

server::Response get_file(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  const auto path = state.dependencies.store.local_path(view->video.key);
  // One of a few types, not sniffed by the browser: an uploaded page must not run as one.
  auto response = server::file(path, std::string(media::media_type_of(first_bytes(path))));
  if (!response) return server::problem(404, "not_found", "the bytes of this video are not there");
  return std::move(*response)
      .with("Cache-Control", "private, max-age=86400")
      .with("Content-Security-Policy", "default-src 'none'; sandbox");
}

server::Response get_thumbnail(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto part = query_number(request, "part", 1, Thumbnails::kParts, 0);
  if (!part) return server::problem(400, "invalid_argument", part.error().message);
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  const auto path = state.thumbnails.get(view->video, static_cast<int>(*part));
  if (!path) return server::problem(404, "not_found", "there is no picture: " + path.error().message);
  auto response = server::file(*path, "image/jpeg");
  if (!response) return server::problem(404, "not_found", "there is no picture");
  return std::move(*response).with("Cache-Control", "private, max-age=86400");
}

server::Response remove_video(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  if (!view->mine && !principal.may(Scope::operate))
    return server::problem(403, "permission_denied", "a video of the library is the operator's to take away");
  state.ownership.remove_owner(principal.viewer(), view->video.id);
  state.on_removal();
  return {.status = 204, .headers = {}, .body = {}};
}

server::Response accepted(ServerState& state, const std::string& id) {
  const auto job = state.jobs.get(id);
  if (!job) return server::problem(503, "unavailable", "the job is gone; send the video again");
  return json_reply(job_json(*job, state.jobs.ahead(*job)), 202).with("Location", "/v1/jobs/" + job->id);
}

// Collects a small JSON body that refers to the video.
class ReferenceBody final : public server::Upload {
 public:
  explicit ReferenceBody(std::function<server::Response(const std::string&)> done) : done_(std::move(done)) {}
  Result<void> write(std::string_view part) override {
    if (body_.size() + part.size() > kMaxReference)
      return fail(Code::too_large, "the body is too large for a reference");
    body_ += part;
    return {};
  }
  server::Response finish() override { return done_(body_); }

 private:
  std::function<server::Response(const std::string&)> done_;
  std::string body_;
};

// The reference in the body, or the error.
std::variant<std::string, server::Response> reference_of(const std::string& body) {
  const auto json = parse_json(body, "the body");
  if (!json) return server::problem(400, "invalid_argument", json.error().message);
  const auto wrong = [](const char* why) { return server::problem(422, "invalid_argument", why); };
  if (!json->is_object() || json->size() != 1 || !(json->contains("url") || json->contains("s3_uri")))
    return wrong("the body must be {\"url\": ...} or {\"s3_uri\": ...}");
  const auto& value = json->front();
  if (!value.is_string()) return wrong("the reference must be a text");
  const auto text = value.get<std::string>();
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  if (text.size() > kMaxUrl || !plain)
    return wrong("a reference has printable ASCII characters only; others are %-encoded");
  if (json->contains("s3_uri") && !text.starts_with("s3://")) return wrong("s3_uri must begin with s3://");
  if (json->contains("url") && !text.starts_with("http://") && !text.starts_with("https://"))
    return wrong("url must begin with https:// or http://");
  return text;
}

std::string last_part(const std::string& reference) {
  const auto path = reference.substr(0, reference.find_first_of("?#"));
  return clean_line(path.substr(path.rfind('/') + 1), kMaxName);
}

std::variant<server::Response, std::unique_ptr<server::Upload>> bring(ServerState& state,
                                                                      const server::Request& request) {
  auto decision = state.authenticator.authorize(request, Scope::write);
  if (auto* refusal = std::get_if<server::Response>(&decision)) return std::move(*refusal);
  const Principal& principal = std::get<Principal>(decision);
  const auto owner = principal.owner;
  const bool objects = may_read_objects(principal);
  const auto deadline = query_real(request, "deadline", 0.1, kMaxDeadline);
  if (!deadline) return server::problem(400, "invalid_argument", deadline.error().message);
  const auto key = request_key_of(request);
  if (!key) return server::problem(400, "invalid_argument", key.error().message);
  if (state.jobs.unfinished(owner, state.turn_of(owner, request.client)) >= state.config.max_jobs)
    return server::problem(429, "unavailable", "too many unfinished jobs of yours; wait for some of them");
  if (auto refusal = state.over_quota(principal, request.client)) return std::move(*refusal);
  if (!is_json(request))
    return state.uploads.begin(request, owner, [&state](const std::string& job) { return accepted(state, job); });
  return std::make_unique<ReferenceBody>([&state, owner, objects, key = *key,
                                          turn = state.turn_of(owner, request.client),
                                          seconds = deadline->value_or(0)](const std::string& body) {
    auto reference = reference_of(body);
    if (auto* refusal = std::get_if<server::Response>(&reference)) return std::move(*refusal);
    const auto& text = std::get<std::string>(reference);
    if (text.starts_with("s3://") && !objects)
      return server::problem(403, "permission_denied", "objects of a store need a token; upload the video");
    const auto digest = hex(sha256(text + ';' + std::to_string(seconds)));
    const auto job = state.jobs.add({.owner = owner,
                                     .name = last_part(text),
                                     .reference = text,
                                     .request_key = key,
                                     .deadline = seconds,
                                     .request_digest = digest,
                                     .client = turn});
    if (!key.empty() && job.request_digest != digest) return key_of_another_request();
    state.on_job();
    return accepted(state, job.id);
  });
}

}  // namespace

void add_video_routes(server::Router& router, ServerState& state) {
  const auto bind = [&](auto function) {
    return [&state, function](const server::Request& r, const Principal& a) { return function(state, r, a); };
  };
  auto& authenticator = state.authenticator;
  router.get("/v1/videos", authenticator.guarded(Scope::read, bind(list_videos)));
  router.upload("POST", "/v1/videos", [&state](const server::Request& request) { return bring(state, request); },
                {.max_body = Uploads::kAnyBody});
  router.get("/v1/videos/{video}", authenticator.guarded(Scope::read, bind(get_video)));
  router.add("DELETE", "/v1/videos/{video}", authenticator.guarded(Scope::write, bind(remove_video)));
  router.get("/v1/videos/{video}/file", authenticator.guarded(Scope::read, bind(get_file)));
  router.get("/v1/videos/{video}/thumbnail", authenticator.guarded(Scope::read, bind(get_thumbnail)));
}

}  // namespace reeltag::serve

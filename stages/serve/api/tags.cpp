// /v1/videos/{video}/tags and /feedback: the model's hashtags, and users' verdicts on them.
#include <algorithm>

#include "api/replies.hpp"
#include "api/visible_video.hpp"
#include "reeltag/hashtag.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr std::size_t kMaxHashtag = 200;  // characters

server::Response get_tags(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto top = query_number(request, "top", 1, 1000, 10);
  const auto threshold = query_real(request, "threshold", 0, 1);
  if (!top) return server::problem(400, "invalid_argument", top.error().message);
  if (!threshold) return server::problem(400, "invalid_argument", threshold.error().message);
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  if (view->tagging.empty())
    return server::problem(409, "unavailable", "this video is not tagged: its job is not done, or it never had one");
  return json_reply(tags_json(view->video.id, view->tagging, *top, *threshold));
}

Json feedback_json(const catalog::Feedback& feedback) {
  return {{"hashtag", feedback.typed}, {"verdict", catalog::verdict_name(feedback.verdict)}};
}

server::Response get_feedback(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  const auto page = page_of(request, state.feedback.list(view->video.id, principal.owner));
  if (!page) return server::problem(400, "invalid_argument", page.error().message);
  Json list = Json::array();
  for (const auto& one : page->items) list.push_back(feedback_json(one));
  return json_reply(with_next({{"feedback", list}}, page->next));
}

server::Response give_feedback(ServerState& state, const server::Request& request, const Principal& principal) {
  auto body = body_object(request);
  if (auto* refusal = std::get_if<server::Response>(&body)) return std::move(*refusal);
  const auto& json = std::get<nlohmann::json>(body);
  const auto wrong = [](const char* why) { return server::problem(422, "invalid_argument", why); };
  if (json.size() != 2 || !json.contains("hashtag") || !json.contains("verdict") || !json["hashtag"].is_string() ||
      !json["verdict"].is_string())
    return wrong("the body must be {\"hashtag\": ..., \"verdict\": ...}");
  auto hashtag = json["hashtag"].get<std::string>();
  while (hashtag.starts_with('#')) hashtag.erase(0, 1);
  if (hashtag.empty() || hashtag.front() == ' ' || characters(hashtag) > kMaxHashtag ||
      hashtag != clean_line(hashtag, hashtag.size()))
    return wrong("a hashtag has 1 to 200 characters, and none that controls");
  const auto verdict = catalog::verdict_from(json["verdict"].get<std::string>());
  if (!verdict) return wrong("verdict must be accept, reject or add");
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  const auto given = state.feedback.list(view->video.id, principal.owner);
  const bool is_known = std::any_of(
      given.begin(), given.end(), [&](const auto& one) { return hashtag::fold(one.typed) == hashtag::fold(hashtag); });
  if (!is_known && static_cast<int>(given.size()) >= state.config.max_feedback) {
    return server::problem(429, "quota_exceeded",
                           "you have judged " + std::to_string(given.size()) +
                               " hashtags of this video, which is all that may be; take some back first");
  }
  const catalog::Feedback feedback{hashtag, *verdict};
  state.feedback.put(view->video.id, principal.owner, feedback);
  return json_reply(feedback_json(feedback), 201);
}

server::Response take_feedback_back(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto view = find_video(state, request, principal);
  if (!view) return no_such_video();
  const auto hashtag = clean_line(request.query_value("hashtag").value_or(""), 1000);
  if (hashtag.empty()) return server::problem(400, "invalid_argument", "hashtag must say which one");
  if (!state.feedback.withdraw(view->video.id, principal.owner, hashtag))
    return server::problem(404, "not_found", "nothing was said of this hashtag");
  return {.status = 204, .headers = {}, .body = {}};
}

}  // namespace

void add_tag_routes(server::Router& router, ServerState& state) {
  const auto bind = [&](auto function) {
    return [&state, function](const server::Request& r, const Principal& a) { return function(state, r, a); };
  };
  auto& authenticator = state.authenticator;
  router.get("/v1/videos/{video}/tags", authenticator.guarded(Scope::read, bind(get_tags)));
  router.get("/v1/videos/{video}/feedback", authenticator.guarded(Scope::read, bind(get_feedback)));
  router.post("/v1/videos/{video}/feedback", authenticator.guarded(Scope::write, bind(give_feedback)));
  router.add("DELETE", "/v1/videos/{video}/feedback", authenticator.guarded(Scope::write, bind(take_feedback_back)));
}

}  // namespace reeltag::serve

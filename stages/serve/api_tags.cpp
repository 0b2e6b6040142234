// /v1/videos/{video}/tags and /feedback: what the model found, and what people say of it.
#include "replies.hpp"
#include "service.hpp"

namespace reeltag::serve {
namespace {

constexpr std::size_t kMostHashtag = 200;  // characters

server::Response not_yours() { return server::problem(404, "not_found", "there is no such video of yours"); }

std::optional<catalog::Shown> find_video(Service& service, const server::Request& request, const Asker& asker) {
  const auto id = request.parameter("video");
  return is_video_id(id) ? service.shelf.find(asker.viewer(), id) : std::nullopt;
}

server::Response get_tags(Service& service, const server::Request& request, const Asker& asker) {
  const auto top = query_number(request, "top", 1, 1000, 10);
  const auto threshold = query_real(request, "threshold", 0, 1);
  if (!top) return server::problem(400, "invalid_argument", top.error().message);
  if (!threshold) return server::problem(400, "invalid_argument", threshold.error().message);
  const auto shown = find_video(service, request, asker);
  if (!shown) return not_yours();
  if (shown->tagging.empty())
    return server::problem(409, "unavailable", "this video is not tagged: its job is not done, or it never had one");
  return json_reply(tags_json(shown->video.id, shown->tagging, *top, *threshold));
}

Json feedback_json(const catalog::Feedback& feedback) {
  return {{"hashtag", feedback.typed}, {"verdict", catalog::verdict_name(feedback.verdict)}};
}

server::Response get_feedback(Service& service, const server::Request& request, const Asker& asker) {
  const auto shown = find_video(service, request, asker);
  if (!shown) return not_yours();
  Json list = Json::array();
  for (const auto& one : service.shelf.feedback(shown->video.id, asker.owner)) list.push_back(feedback_json(one));
  return json_reply({{"feedback", list}});
}

server::Response give_feedback(Service& service, const server::Request& request, const Asker& asker) {
  auto body = body_object(request);
  if (auto* refusal = std::get_if<server::Response>(&body)) return std::move(*refusal);
  const auto& json = std::get<nlohmann::json>(body);
  const auto wrong = [](const char* why) { return server::problem(422, "invalid_argument", why); };
  if (json.size() != 2 || !json.contains("hashtag") || !json.contains("verdict") || !json["hashtag"].is_string() ||
      !json["verdict"].is_string())
    return wrong("the body must be {\"hashtag\": ..., \"verdict\": ...}");
  auto hashtag = json["hashtag"].get<std::string>();
  while (hashtag.starts_with('#')) hashtag.erase(0, 1);
  if (hashtag.empty() || hashtag.front() == ' ' || characters(hashtag) > kMostHashtag ||
      hashtag != clean_line(hashtag, hashtag.size()))
    return wrong("a hashtag has 1 to 200 characters, and none that controls");
  const auto verdict = catalog::verdict_from(json["verdict"].get<std::string>());
  if (!verdict) return wrong("verdict must be accept, reject or add");
  const auto shown = find_video(service, request, asker);
  if (!shown) return not_yours();
  const catalog::Feedback feedback{hashtag, *verdict};
  service.shelf.give_feedback(shown->video.id, asker.owner, feedback);
  return json_reply(feedback_json(feedback), 201);
}

server::Response take_feedback_back(Service& service, const server::Request& request, const Asker& asker) {
  const auto shown = find_video(service, request, asker);
  if (!shown) return not_yours();
  const auto hashtag = clean_line(request.query_value("hashtag").value_or(""), 1000);
  if (hashtag.empty()) return server::problem(400, "invalid_argument", "hashtag must say which one");
  if (!service.shelf.take_back(shown->video.id, asker.owner, hashtag))
    return server::problem(404, "not_found", "nothing was said of this hashtag");
  return {.status = 204, .headers = {}, .body = {}};
}

}  // namespace

void add_tag_routes(server::Router& router, Service& service) {
  const auto bind = [&](auto function) {
    return [&service, function](const server::Request& r, const Asker& a) { return function(service, r, a); };
  };
  auto& door = service.door;
  router.get("/v1/videos/{video}/tags", door.guarded(Scope::read, bind(get_tags)));
  router.get("/v1/videos/{video}/feedback", door.guarded(Scope::read, bind(get_feedback)));
  router.post("/v1/videos/{video}/feedback", door.guarded(Scope::write, bind(give_feedback)));
  router.add("DELETE", "/v1/videos/{video}/feedback", door.guarded(Scope::write, bind(take_feedback_back)));
}

}  // namespace reeltag::serve

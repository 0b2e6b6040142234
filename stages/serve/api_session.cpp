// /v1/session: who asks. The page exchanges a token for a cookie that scripts cannot read.
#include "replies.hpp"
#include "service.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kMonth = 30LL * 86400;

const char* kind_name(Asker::Kind kind) {
  return kind == Asker::Kind::token ? "token" : kind == Asker::Kind::visitor ? "visitor" : "none";
}

Json session_json(Service& service, const Asker& asker) {
  const auto served = service.serving.now();
  // Whoever may come in is a visitor as soon as it keeps the cookie that it is given here.
  const bool newcomer = asker.kind == Asker::Kind::none && service.door.is_open();
  Json out{{"kind", newcomer ? "visitor" : kind_name(asker.kind)},
           {"scopes", newcomer ? std::vector<std::string>{"read", "write"} : asker.scopes},
           {"max_bytes", service.config.upload.max_bytes},
           {"model", served ? served->label : ""},
           {"version", service.parts.version}};
  if (!asker.name.empty()) out["name"] = asker.name;
  return out;
}

server::Response get_session(Service& service, const server::Request& request) {
  const Asker asker = service.door.look(request);
  if (auto refusal = service.door.refuse(request, asker)) return std::move(*refusal);
  auto response = json_reply(session_json(service, asker)).with("Cache-Control", "no-store");
  service.door.welcome(request, response);
  return response;
}

// Whoever sends a token here is no page of another site that knows none; the cookie is the same site's only.
server::Response log_in(Service& service, const server::Request& request) {
  Asker nobody;
  nobody.by_cookie = true;
  if (auto refusal = service.door.refuse(request, nobody)) return std::move(*refusal);
  auto body = body_object(request);
  if (auto* refusal = std::get_if<server::Response>(&body)) return std::move(*refusal);
  const auto& json = std::get<nlohmann::json>(body);
  if (json.size() != 1 || !json.contains("token") || !json["token"].is_string())
    return server::problem(422, "invalid_argument", "the body must be {\"token\": ...}");
  const auto text = json["token"].get<std::string>();
  const auto token = service.tokens.find(text);
  if (!token) return server::problem(401, "permission_denied", "this token opens nothing here; it may be revoked");
  server::Request as_told = request;
  as_told.headers["authorization"] = "Bearer " + text;
  auto response = json_reply(session_json(service, service.door.look(as_told))).with("Cache-Control", "no-store");
  return std::move(response).with("Set-Cookie", cookie_text(request, kTokenCookie, text, kMonth));
}

server::Response log_out(Service& service, const server::Request& request) {
  Asker nobody;
  nobody.by_cookie = true;
  if (auto refusal = service.door.refuse(request, nobody)) return std::move(*refusal);
  server::Response response{.status = 204, .headers = {}, .body = {}};
  return std::move(response).with("Set-Cookie", cookie_text(request, kTokenCookie, "", 0));
}

}  // namespace

void add_session_routes(server::Router& router, Service& service) {
  router.get("/v1/session", [&service](const server::Request& r) { return get_session(service, r); });
  router.post("/v1/session", [&service](const server::Request& r) { return log_in(service, r); });
  router.add("DELETE", "/v1/session", [&service](const server::Request& r) { return log_out(service, r); });
}

}  // namespace reeltag::serve

// /v1/session: returns the principal and exchanges a token for a cookie that scripts cannot read.
#include "api/replies.hpp"
#include "auth/cookies.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kMonth = 30LL * 86400;

const char* kind_name(Principal::Kind kind) {
  return kind == Principal::Kind::token ? "token" : kind == Principal::Kind::visitor ? "visitor" : "none";
}

Json session_json(ServerState& state, const Principal& principal) {
  const auto loaded = state.model_slot.now();
  // Reported as a visitor already: it becomes one by keeping the cookie set here.
  const bool newcomer = principal.kind == Principal::Kind::none && state.authenticator.is_open();
  Json out{{"kind", newcomer ? "visitor" : kind_name(principal.kind)},
           {"scopes", newcomer ? std::vector<std::string>{"read", "write"} : principal.scopes},
           {"max_bytes", state.config.upload.max_bytes},
           {"model", loaded ? loaded->label : ""},
           {"version", state.dependencies.version}};
  if (!principal.name.empty()) out["name"] = principal.name;
  return out;
}

server::Response get_session(ServerState& state, const server::Request& request) {
  const Principal principal = state.authenticator.authenticate(request);
  if (auto refusal = state.authenticator.refuse_host(request)) return std::move(*refusal);
  auto response = json_reply(session_json(state, principal)).with("Cache-Control", "no-store");
  state.authenticator.issue_visitor_cookie(request, response);
  return response;
}

// Safe against cross-site requests: the sender knows a token, and the cookie is SameSite.
server::Response log_in(ServerState& state, const server::Request& request) {
  if (auto refusal = state.authenticator.refuse_host(request)) return std::move(*refusal);
  if (auto refusal = Authenticator::refuse_other_sites(request, /*by_cookie=*/false)) return std::move(*refusal);
  auto body = body_object(request);
  if (auto* refusal = std::get_if<server::Response>(&body)) return std::move(*refusal);
  const auto& json = std::get<nlohmann::json>(body);
  if (json.size() != 1 || !json.contains("token") || !json["token"].is_string())
    return server::problem(422, "invalid_argument", "the body must be {\"token\": ...}");
  const auto text = json["token"].get<std::string>();
  server::Request as_told = request;
  as_told.headers["authorization"] = "Bearer " + text;
  const Principal principal = state.authenticator.authenticate(as_told);
  if (principal.kind != Principal::Kind::token)
    return server::problem(401, "permission_denied", "this token opens nothing here; it may be revoked");
  auto response = json_reply(session_json(state, principal)).with("Cache-Control", "no-store");
  return std::move(response).with("Set-Cookie", cookie_text(request, kTokenCookie, text, kMonth));
}

server::Response log_out(ServerState& state, const server::Request& request) {
  if (auto refusal = state.authenticator.refuse_host(request)) return std::move(*refusal);
  if (auto refusal = Authenticator::refuse_other_sites(request, /*by_cookie=*/false)) return std::move(*refusal);
  server::Response response{.status = 204, .headers = {}, .body = {}};
  return std::move(response).with("Set-Cookie", cookie_text(request, kTokenCookie, "", 0));
}

}  // namespace

void add_session_routes(server::Router& router, ServerState& state) {
  router.get("/v1/session", [&state](const server::Request& r) { return get_session(state, r); });
  router.post("/v1/session", [&state](const server::Request& r) { return log_in(state, r); });
  router.add("DELETE", "/v1/session", [&state](const server::Request& r) { return log_out(state, r); });
}

}  // namespace reeltag::serve

// The page, the API's description and metrics.
#include <algorithm>

#include "api/openapi.hpp"
#include "api/replies.hpp"
#include "page/page.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

server::Response asset_reply(const Asset& asset, std::string bytes, std::string etag) {
  auto response = server::text(std::move(bytes), std::string(asset.content_type));
  response.with("ETag", std::move(etag))
      .with("Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache")
      .with("X-Content-Type-Options", "nosniff");
  return response;
}

server::Response asset_reply(const Asset& asset) {
  return asset_reply(asset, std::string(asset.bytes), std::string(asset.etag));
}

// The page's addresses are relative, "./assets/...", because a proxy may show it below a path of its own that is not
// known here. Below a folder, as /videos/{video} is, they lead up again.
server::Response index_reply(const Asset& index, bool in_folder) {
  if (!in_folder) return asset_reply(index);
  std::string text(index.bytes), etag(index.etag);
  for (auto at = text.find("\"./"); at != std::string::npos; at = text.find("\"./", at)) text.replace(at, 3, "\"../");
  etag.insert(etag.size() - 1, "-folder");
  return asset_reply(index, std::move(text), std::move(etag));
}

server::Response page_reply(ServerState& state, const server::Request& request) {
  const auto assets = page_assets();
  const auto index =
      std::find_if(assets.begin(), assets.end(), [](const Asset& asset) { return asset.path == "index.html"; });
  if (index == assets.end()) return server::problem(404, "not_found", "this server has no page");
  auto response = index_reply(*index, std::count(request.path.begin(), request.path.end(), '/') > 1);
  response.with("Content-Security-Policy", kPagePolicy)
      .with("Referrer-Policy", "same-origin")
      .with("Cross-Origin-Opener-Policy", "same-origin")
      .with("X-Frame-Options", "DENY");
  state.authenticator.issue_visitor_cookie(request, response);
  return response;
}

server::Response metrics_reply(ServerState& state, const server::Request& request) {
  if (!state.open_metrics) {
    const auto decision = state.authenticator.authorize(request, Scope::read);
    if (const auto* refusal = std::get_if<server::Response>(&decision)) return *refusal;
    if (std::get<Principal>(decision).kind != Principal::Kind::token)
      return server::problem(401, "permission_denied",
                             "metrics need a token here; serve.metrics=open gives them to all")
          .with("WWW-Authenticate", "Bearer realm=\"reeltag\"");
  }
  return server::metrics_response(request, state.metrics);
}

}  // namespace

void add_page_routes(server::Router& router, ServerState& state) {
  const auto page = [&state](const server::Request& request) { return page_reply(state, request); };
  // The page's client-side routes; its script selects the view.
  for (const char* path : {"/", "/library", "/videos/{video}", "/models", "/about"}) router.get(path, page);
  for (const auto& asset : page_assets()) {
    if (asset.path == "index.html") continue;
    router.get("/" + std::string(asset.path), [asset](const server::Request&) { return asset_reply(asset); },
               {.limited = false});
  }
  router.get("/openapi.json", [](const server::Request&) {
    return server::text(openapi_json(), "application/json").with("Cache-Control", "no-cache");
  });
  router.get("/metrics", [&state](const server::Request& request) { return metrics_reply(state, request); },
             {.limited = false, .quiet = true});
}

}  // namespace reeltag::serve

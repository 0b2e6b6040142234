// /v1/search and /v1/collections: searches the library and lists its collections.
#include <map>

#include "api/replies.hpp"
#include "reeltag/base/control_characters.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr std::size_t kMaxQuery = 400;  // characters
// Requests more hits, since other owners' videos are filtered out.
constexpr std::int64_t kSpare = 4, kMaxHits = 2000;

Json hit_segments_json(const std::vector<index::Segment>& segments) {
  Json out = Json::array();
  for (const auto& s : segments) out.push_back({rounded(s.start, 3), rounded(s.end, 3)});
  return out;
}

Json hit_json(const index::Hit& hit, const catalog::VideoView& view) {
  Json why = Json::array(), named = Json::array();
  for (const auto w : hit.why) why.push_back(index::why_name(w));
  for (const auto& tag : hit.named)
    named.push_back(
        {{"hashtag", tag.hashtag}, {"score", rounded(tag.score, 4)}, {"segments", hit_segments_json(tag.segments)}});
  return {{"video", hit.video},
          {"score", rounded(hit.score, 4)},
          {"why", why},
          {"segments", hit_segments_json(hit.segments)},
          {"named", named},
          {"caption", without_controls(hit.caption)},
          {"name", view.name.empty() ? catalog::file_name_of(view.video) : view.name},
          {"duration", rounded(view.video.duration, 3)}};
}

server::Response search(ServerState& state, const server::Request& request, const Principal& principal) {
  const auto query = request.query_value("q");
  if (!query || query->empty() || characters(*query) > kMaxQuery)
    return server::problem(400, "invalid_argument", "q must have 1 to 400 characters");
  const auto limit = query_number(request, "limit", 1, 200, 50);
  if (!limit) return server::problem(400, "invalid_argument", limit.error().message);
  const auto hits = state.dependencies.index.search(*query, std::min(kMaxHits, *limit * kSpare));
  Json results = Json::array();
  for (const auto& hit : hits) {
    if (static_cast<std::int64_t>(results.size()) == *limit) break;
    // The index may contain files that are not in the catalog; these are never returned.
    const auto view = is_video_id(hit.video) ? state.ownership.find(principal.viewer(), hit.video) : std::nullopt;
    if (view) results.push_back(hit_json(hit, *view));
  }
  return json_reply({{"query", clean_line(*query, 4 * kMaxQuery)}, {"results", results}});
}

server::Response list_collections(ServerState& state, const server::Request& request, const Principal&) {
  std::vector<Json> list;
  if (state.dependencies.collections) {
    for (const auto& collection : state.dependencies.collections(*state.catalog)) {
      Json out{{"source", collection.source}, {"hashtag", collection.hashtag}, {"videos", collection.videos}};
      if (!collection.ended.empty()) out["ended"] = collection.ended;
      list.push_back(std::move(out));
    }
  }
  const auto page = page_of(request, std::move(list));
  if (!page) return server::problem(400, "invalid_argument", page.error().message);
  return json_reply(with_next({{"collections", page->items}}, page->next));
}

}  // namespace

void add_library_routes(server::Router& router, ServerState& state) {
  const auto bind = [&](auto function) {
    return [&state, function](const server::Request& r, const Principal& a) { return function(state, r, a); };
  };
  router.get("/v1/search", state.authenticator.guarded(Scope::read, bind(search)));
  router.get("/v1/collections", state.authenticator.guarded(Scope::read, bind(list_collections)));
}

}  // namespace reeltag::serve

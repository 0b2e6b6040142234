// /v1/models: the versions in the registry and the current tagging model.
#include <ctime>

#include "api/replies.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "server_state.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kMaxText = 4 << 20;

// "2026-11-26T10:00:00Z" as seconds since 1970; 0 for invalid text.
std::int64_t seconds_of(const std::string& time) {
  std::tm dependencies{};
  return strptime(time.c_str(), "%Y-%m-%dT%H:%M:%SZ", &dependencies) == nullptr ? 0 : timegm(&dependencies);
}

std::string label_of(const registry::VersionId& id) { return id.name + "@" + std::to_string(id.number); }

Json model_json(const registry::Version& version, const LoadedModel* loaded) {
  const bool model_slot = loaded != nullptr && loaded->version && *loaded->version == version.id;
  Json out{{"version", label_of(version.id)},
           {"serving", model_slot},
           {"created", seconds_of(version.at)},
           {"hashtags", version.hashtags.size()},
           {"aliases", version.aliases}};
  const auto figures = Json::parse(version.figures, nullptr, false);
  if (figures.is_object()) out["figures"] = figures;
  return out;
}

// The entry of a model outside the registry: the shipped one.
Json model_json(const LoadedModel& loaded) {
  return {{"version", loaded.label},
          {"serving", true},
          {"hashtags", loaded.model->vocabulary().size()},
          {"aliases", Json::array()}};
}

std::string text_in(const std::filesystem::path& file) {
  auto text = read_file(file, kMaxText);
  return text ? *text : std::string();
}

server::Response list_models(ServerState& state, const server::Request& request, const Principal&) {
  const auto loaded = state.model_slot.now();
  const registry::Registry registry(state.dependencies.home / "models");
  std::vector<Json> list;
  if (loaded && !loaded->version) list.push_back(model_json(*loaded));
  for (const auto& name : registry.names()) {
    auto versions = registry.versions(name);
    for (auto v = versions.rbegin(); v != versions.rend(); ++v) list.push_back(model_json(*v, loaded.get()));
  }
  const auto page = page_of(request, std::move(list));
  if (!page) return server::problem(400, "invalid_argument", page.error().message);
  return json_reply(with_next({{"models", page->items}}, page->next));
}

Json whole_json(const registry::Registry& registry, const registry::Version& version, const LoadedModel* loaded) {
  Json out = model_json(version, loaded);
  out["vocabulary"] = version.hashtags;
  out["recipe"] = registry::recipe_of(version);
  out["card"] = registry::card_of(version);
  Json history = Json::array();
  for (const auto& change : registry.history(version.id.name))
    if (change.version == version.id.number || change.from == version.id.number)
      history.push_back(registry::to_json(change));
  out["history"] = history;
  return out;
}

server::Response get_model(ServerState& state, const server::Request& request, const Principal&) {
  const auto name = std::string(request.parameter("version"));
  const auto loaded = state.model_slot.now();
  const auto missing = server::problem(404, "not_found", "there is no model of this name; GET /v1/models lists them");
  if (loaded && !loaded->version && (name == "current" || name == loaded->label)) {
    Json out = model_json(*loaded);
    out["vocabulary"] = loaded->model->vocabulary();
    out["recipe"] = text_in(loaded->model->folder() / "recipe.yaml");
    out["card"] = text_in(loaded->model->folder() / "card.md");
    return json_reply(out);
  }
  const registry::Registry registry(state.dependencies.home / "models");
  std::optional<registry::VersionId> id;
  if (name == "current") {
    if (loaded) id = loaded->version;
  } else if (const auto at = name.find('@'); at != std::string::npos) {
    id = registry::VersionId{name.substr(0, at), std::atoll(name.c_str() + at + 1)};
  }
  if (!id || !registry.has(id->name)) return missing;
  for (const auto& version : registry.versions(id->name))
    if (version.id == *id) return json_reply(whole_json(registry, version, loaded.get()));
  return missing;
}

}  // namespace

void add_model_routes(server::Router& router, ServerState& state) {
  const auto bind = [&](auto function) {
    return [&state, function](const server::Request& r, const Principal& a) { return function(state, r, a); };
  };
  router.get("/v1/models", state.authenticator.guarded(Scope::read, bind(list_models)));
  router.get("/v1/models/{version}", state.authenticator.guarded(Scope::read, bind(get_model)));
}

}  // namespace reeltag::serve

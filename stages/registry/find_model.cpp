#include <algorithm>

#include "reeltag/registry.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStarter = "starter";

bool is_bundle(const fs::path& folder) {
  std::error_code none;  // ignored, e.g. a name that is too long
  return fs::exists(folder / "bundle.json", none);
}

std::vector<std::string> known_models(const ModelFolders& places) {
  std::vector<std::string> known = Registry(places.home / "models").names();
  for (const auto& folder : {places.shipped, places.home / "models", places.home / "runs"}) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (is_bundle(entry.path()) || is_bundle(entry.path() / "bundle"))
        known.push_back(entry.path().filename().string());
    }
  }
  std::sort(known.begin(), known.end());
  return known;
}

[[noreturn]] void throw_unknown(const ModelFolders& places, const std::string& text) {
  std::string list;
  for (const auto& name : known_models(places)) list += (list.empty() ? "" : ", ") + name;
  throw Exception(Code::not_found, "no model '" + text + "': not a version, a bundle's folder, a run or an imported " +
                                       "model in " + places.home.string() + " or a shipped model" +
                                       (list.empty() ? "" : "; there are: " + list));
}

}  // namespace

fs::path find_model(const ModelFolders& places, const std::string& text) {
  const Registry registry(places.home / "models");
  if (text.empty()) {
    const bool chosen = registry.has(kDefaultName) && registry.aliases(kDefaultName).contains(kChampion);
    return find_model(places, chosen ? std::string(kDefaultName) + "@" + kChampion : kStarter);
  }
  if (const auto id = registry.find(text)) return registry.get(*id).folder;
  for (const auto& place : {fs::path(text), fs::path(text) / "bundle"}) {
    if (is_bundle(place)) return place;
  }
  // A name, not a path: through NAME/1/../2 a version would be read without the check of its files.
  const bool is_word = fs::path(text).filename() == text && text != "." && text != "..";
  for (const auto& place :
       {places.home / "runs" / text / "bundle", places.home / "models" / text, places.shipped / text}) {
    if (is_word && is_bundle(place)) return place;
  }
  if (registry.has(text)) registry.find("models:/" + text);  // throws, naming what is missing
  throw_unknown(places, text);
}

}  // namespace reeltag::registry

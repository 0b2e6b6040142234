// Test support: writes a bundle with consistent texts and arbitrary bytes as weights. Functions, any thread.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::registry {

inline std::filesystem::path make_bundle(const std::filesystem::path& folder, const std::string& weights = "weights",
                                         const std::string& name = "mine") {
  std::filesystem::create_directories(folder);
  model::Recipe recipe = model::load_recipe("small/MVITv2_motion");
  recipe.model.num_classes = 2;
  write_file(folder / "recipe.yaml", model::to_yaml(recipe));
  write_file(folder / "weights.safetensors", weights);
  write_file(folder / "card.md", "# Card of " + name + "\n");
  const nlohmann::json bundle{{"format", 2},
                              {"name", name},
                              {"multi_label", true},
                              {"vocabulary", {"cat", "dog"}},
                              {"thresholds", {0.5, 0.5}},
                              {"trained", {{"run", name}, {"dataset", "d1"}}}};
  write_file(folder / "bundle.json", bundle.dump());
  return folder;
}

}  // namespace reeltag::registry

// Recipes: YAML from anyone. A recipe that is accepted must survive writing, and planning its net must end.
#include "reeltag/model/recipe.hpp"
#include "fuzz.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/model/plan.hpp"

using namespace reeltag;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  model::Recipe recipe;
  try {
    recipe = model::parse_recipe(fuzz::text(data, size), "fuzz.yaml");
  } catch (const Exception&) {
    return 0;
  }
  const std::string written = model::to_yaml(recipe);
  fuzz::require(model::to_yaml(model::parse_recipe(written, "written.yaml")) == written, "a recipe survives writing");
  try {
    const model::Plan plan = model::make_plan(recipe);
    fuzz::require(plan.parameter_count > 0, "a net has parameters");
  } catch (const Exception&) {
  }
  return 0;
}

#include "reeltag/model/verify.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace reeltag::app {
namespace {

nlohmann::ordered_json to_json(const model::VerifyReport& r) {
  nlohmann::ordered_json failed = nlohmann::json::array();
  for (const auto& c : r.checks) {
    if (!c.passed()) failed.push_back({{"what", c.what}, {"error", c.error}, {"tolerance", c.tolerance}});
  }
  return {{"name", r.name},     {"max_abs", r.max_abs},      {"tolerance", r.tolerance},
          {"passed", r.passed}, {"checks", r.checks.size()}, {"failed", failed}};
}

void print_for_people(const model::VerifyReport& r) {
  char text[256];
  std::snprintf(text, sizeof text, "%s %s: logits within %.2g of the reference (at most %.2g), %zu checks",
                r.passed ? "passed" : "FAILED", r.name.c_str(), r.max_abs, r.tolerance, r.checks.size());
  print(text);
  for (const auto& c : r.checks) {
    if (c.passed()) continue;
    std::snprintf(text, sizeof text, "  %s is off by %.3g, at most %.3g is allowed", c.what.c_str(), c.error,
                  c.tolerance);
    print(text);
  }
}

}  // namespace

void run_verify(Context& context, const VerifyArguments& a) {
  context.start();
  std::optional<model::Recipe> recipe;
  if (!a.recipe.empty()) recipe = model::load_recipe(a.recipe);
  bool passed = true;
  for (const auto& golden : a.goldens) {
    try {
      const auto report = model::verify(golden, recipe);
      passed &= report.passed;
      context.json ? print(to_json(report).dump()) : print_for_people(report);
    } catch (const Exception& e) {
      if (a.goldens.size() == 1 || e.code() == Code::interrupted) throw;
      context.item_failed(golden, e.error(), "golden");
    }
  }
  if (!passed) context.status = 1;
}

}  // namespace reeltag::app

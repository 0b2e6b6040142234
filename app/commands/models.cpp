#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/model/plan.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;

// Consecutive blocks of one width and grid.
struct Stage {
  int first = 0, last = 0;
  model::BlockPlan block;
};

std::vector<Stage> stages_of(const model::Plan& plan) {
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const auto& b = plan.blocks[i];
    const bool same = !stages.empty() && stages.back().block.dim_attention == b.dim_attention &&
                      stages.back().block.heads == b.heads && stages.back().block.grid_q == b.grid_q;
    if (same) {
      stages.back().last = static_cast<int>(i);
      stages.back().block.dim_out = b.dim_out;
    } else {
      stages.push_back({static_cast<int>(i), static_cast<int>(i), b});
    }
  }
  return stages;
}

const char* kind_of(const model::Plan& plan) {
  if (plan.recipe.is_pretraining()) return plan.recipe.mask.mae_on ? "masked autoencoder" : "masked feature prediction";
  return plan.reversible() ? "reversible classifier" : "classifier";
}

ordered_json describe(const std::string& name, const model::Plan& plan) {
  ordered_json stages = ordered_json::array();
  for (const auto& s : stages_of(plan)) {
    stages.push_back({{"blocks", {s.first, s.last}},
                      {"width", s.block.dim_attention},
                      {"width_out", s.block.dim_out},
                      {"heads", s.block.heads},
                      {"grid", s.block.grid_q},
                      {"grid_kv", s.block.grid_kv}});
  }
  const auto& m = plan.multiply_adds;
  const auto& d = plan.recipe.data;
  return {{"name", name},
          {"kind", kind_of(plan)},
          {"parameters", plan.parameter_count},
          {"multiply_adds", m.total()},
          {"multiply_adds_by_kind",
           {{"conv", m.conv},
            {"linear", m.linear},
            {"matmul", m.matmul},
            {"einsum", m.einsum},
            {"layer_norm", m.layer_norm}}},
          {"input", {{"frames", d.num_frames}, {"crop", d.train_crop_size}, {"image", plan.recipe.is_image()}}},
          {"classes", plan.recipe.model.num_classes},
          {"embedding", plan.dim_out},
          {"class_token", plan.class_token()},
          {"grid", plan.grid},
          {"stages", stages}};
}

std::string grid_text(const model::Triple& g) {
  return std::to_string(g[0]) + "x" + std::to_string(g[1]) + "x" + std::to_string(g[2]);
}

void print_description(const std::string& name, const model::Plan& plan) {
  char text[256];
  const auto& d = plan.recipe.data;
  print(name);
  print(std::string("  kind            ") + kind_of(plan) +
        (plan.recipe.is_pretraining() ? " (for pre-training; it has no classes)" : ""));
  std::snprintf(text, sizeof text, "  parameters      %.1f M (%lld)", static_cast<double>(plan.parameter_count) / 1e6,
                static_cast<long long>(plan.parameter_count));
  print(text);
  std::snprintf(text, sizeof text, "  multiply-adds   %.2f G for one %s", plan.multiply_adds.total() / 1e9,
                plan.recipe.is_image() ? "image" : "clip");
  print(text);
  std::snprintf(text, sizeof text, "  input           %d frames of %d x %d, tokens %s%s", d.num_frames,
                d.train_crop_size, d.train_crop_size, grid_text(plan.grid).c_str(),
                plan.class_token() ? " and a class token" : "");
  print(text);
  if (plan.recipe.is_pretraining()) {
    std::snprintf(text, sizeof text, "  output          %d values of each hidden token", plan.prediction_width(0));
  } else {
    std::snprintf(text, sizeof text, "  output          %d classes from an embedding of %d",
                  plan.recipe.model.num_classes, plan.dim_out);
  }
  print(text);
  std::snprintf(text, sizeof text, "  %-10s %6s %6s %12s %12s", "blocks", "width", "heads", "tokens", "keys");
  print(text);
  for (const auto& s : stages_of(plan)) {
    const std::string blocks = std::to_string(s.first) + (s.last > s.first ? "-" + std::to_string(s.last) : "");
    std::snprintf(text, sizeof text, "  %-10s %6d %6d %12s %12s", blocks.c_str(), s.block.dim_attention, s.block.heads,
                  grid_text(s.block.grid_q).c_str(), grid_text(s.block.grid_kv).c_str());
    print(text);
  }
}

void add_describe(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("describe", "Parameters, multiply-adds, widths, heads and grid of a recipe's net");
  auto name = std::make_shared<std::string>();
  cmd->add_option("recipe", *name, "A shipped recipe or a YAML file")->required();
  cmd->callback([name, &context] {
    context.start();
    const model::Recipe recipe = model::load_recipe(*name);
    for (const auto& warning : recipe.warnings) log::warning("recipe", {{"message", warning}});
    const model::Plan plan = model::make_plan(recipe);
    if (context.json) return print(describe(*name, plan).dump());
    print_description(*name, plan);
  });
}

void add_recipes(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("recipes", "The shipped recipes");
  cmd->callback([&context] {
    context.start();
    for (const auto& name : model::shipped_recipes()) {
      const model::Plan plan = model::make_plan(model::load_recipe(name));
      char text[160];
      std::snprintf(text, sizeof text, "%-32s %7.1f M parameters %9.2f G multiply-adds", name.c_str(),
                    static_cast<double>(plan.parameter_count) / 1e6, plan.multiply_adds.total() / 1e9);
      print(context.json ? describe(name, plan).dump() : text);
    }
  });
}

void add_verify(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("verify", "Run reference vectors through the net built here and compare");
  auto a = std::make_shared<VerifyArguments>();
  cmd->add_option("goldens", a->goldens, "NAME.json of each vector")->required()->check(CLI::ExistingFile);
  cmd->add_option("--recipe", a->recipe, "Instead of the recipe that the vector names");
  cmd->callback([a, &context] { run_verify(context, *a); });
}

}  // namespace

void add_models(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("models", "Models: their versions and aliases, recipes, published weights");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_describe(*cmd, context);
  add_checkpoints(*cmd, context);
  add_recipes(*cmd, context);
  add_verify(*cmd, context);
  add_choose(*cmd, context);
  add_versions(*cmd, context);
}

}  // namespace reeltag::app

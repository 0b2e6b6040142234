#include "reeltag/train.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/evaluate.hpp"
#include "reeltag/model/extractor.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::app {
namespace {

// "SOLVER.MAX_EPOCH=30"; the value is YAML.
void set_key(model::Recipe& recipe, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos) throw Exception(Code::invalid_argument, "--key wants NAME=VALUE, not " + assignment);
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  auto parsed = nlohmann::json::parse(value, nullptr, false);
  if (value == "True" || value == "False") parsed = value == "True";
  model::set(recipe, key, parsed.is_discarded() ? nlohmann::json(value) : parsed);
}

// Fewer videos of a hashtag say nothing about its AP.
constexpr std::int64_t kMinSupport = 5;

// What validation shows after each epoch, and how far each hashtag is above its prior.
train::ValidationResult judge(dataset::LabelMode mode, const std::vector<std::vector<float>>& scores,
                              const std::vector<std::vector<int>>& labels) {
  std::vector<evaluate::Sample> samples;
  for (std::size_t v = 0; v < scores.size(); ++v)
    samples.push_back({.group = {}, .labels = labels[v], .scores = scores[v]});
  const std::vector<double> thresholds(scores.empty() ? 0 : scores.front().size(), 0.5);
  const auto m = evaluate::measure(samples, thresholds, mode, /*resamples=*/0);
  train::ValidationResult out{.figures = {{"top1", m.top1.value}, {"map", m.map.value}, {"gap20", m.gap20.value}}};
  std::erase_if(out.figures, [](const auto& figure) { return std::isnan(figure.second); });
  for (const auto& c : m.classes) out.lift.push_back(c.support >= kMinSupport ? c.ap.value / c.prior : 0.0);
  return out;
}

train::FrozenOptions frozen_options(const train::Options& o, std::vector<std::string> blocks) {
  if (o.world.size > 1) {
    throw Exception(Code::invalid_argument,
                    "--frozen is fitted by one process; start it without WORLD_SIZE (and without torchrun or srun)");
  }
  if (o.resume) throw Exception(Code::invalid_argument, "--resume goes with training in epochs, not with --frozen");
  if (blocks.empty()) {
    blocks = {model::kImageMean, model::kImageDelta};
    if (!o.start_from.empty()) blocks.insert(blocks.begin(), model::kMvitBlock);
  }
  if (std::find(blocks.begin(), blocks.end(), model::kMvitBlock) != blocks.end() && o.start_from.empty())
    throw Exception(Code::invalid_argument, "the block mvit needs a net: name a model with --from");
  return {.run = o.run,
          .blocks = std::move(blocks),
          .net = o.start_from,
          .config = o.config,
          .limits = o.limits,
          .stop = o.stop};
}

void print_frozen(const train::TrainResult& result) {
  const auto& f = *result.frozen;
  char text[256];
  std::snprintf(text, sizeof text, "run %s: head fitted in %.1f s (strength %.3g)", result.run.c_str(), f.seconds_fit,
                f.strength);
  print(text);
  std::snprintf(
      text, sizeof text, "  features: %lld computed in %.1f s, %lld taken from the store (about %.0f s saved)",
      static_cast<long long>(f.computed), f.seconds_computing, static_cast<long long>(f.kept), f.seconds_saved);
  print(text);
}

}  // namespace

void run_train(Context& context, const TrainArguments& a) {
  context.start();
  const auto datasets = context.home() / "datasets";
  const train::World world = train::world_from_environment();
  train::Options options{.recipe = {},
                         .run = {},
                         .start_from = {},
                         .resume = !a.resume.empty(),
                         .config = context.config().train,
                         .limits = context.config().media,
                         .stop = stop::token(),
                         .world = world};
  if (options.world.size > 1 && a.run.empty() && a.resume.empty()) {
    throw Exception(Code::invalid_argument, "several processes train one run: name it with --run, the same for all");
  }
  std::string dataset_id = a.dataset;
  if (options.resume) {
    options.run = run_folder(context.home(), a.resume);
    const auto started = train::load_run_settings(options.run);
    options.recipe = started.recipe;
    // What shapes only the bundle may change; what shapes the weights may not.
    const auto asked = options.config;
    options.config = started.config;
    options.config.precision = asked.precision;
    options.config.min_lift = asked.min_lift;
    options.config.half = asked.half;
    options.config.rank_timeout = asked.rank_timeout;
    options.start_from = started.start_from;
    dataset_id = started.dataset;
  } else {
    options.recipe = model::load_recipe(a.recipe);
    for (const auto& warning : options.recipe.warnings) log::warning("recipe", {{"message", warning}});
    for (const auto& key : a.keys) set_key(options.recipe, key);
    options.run = run_folder(context.home(), a.run.empty() ? new_id("") : a.run);
    if (!a.start_from.empty()) options.start_from = find_model(context.home(), a.start_from);
  }
  const auto set = dataset::load(datasets, dataset_id, context.tombstones());
  const auto store = context.open_store();
  const train::Validator validator = [&](const auto& scores, const auto& labels) {
    return judge(set.label_mode, scores, labels);
  };
  log::info("training", {{"run", options.run.filename().string()}, {"dataset", set.id}});
  const auto result = a.frozen ? train::train_frozen(set, *store, frozen_options(options, a.blocks), validator)
                               : train::train(set, *store, options, validator);
  if (options.world.rank != 0) return;  // rank 0 speaks for all
  for (const auto& f : result.failed) context.item_failed(f.video, f.reason);
  if (context.json) return print(train::to_json(result));
  if (result.frozen) {
    print_frozen(result);
  } else {
    print("run " + result.run + " finished after " + std::to_string(result.epochs) + " epochs");
  }
  for (const auto& [name, value] : result.train) print("  train " + name + " " + std::to_string(value));
  for (const auto& [name, value] : result.val) print("  val " + name + " " + std::to_string(value));
}

}  // namespace reeltag::app

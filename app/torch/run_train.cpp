#include "reeltag/train.hpp"

#include <algorithm>
#include <array>
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

// What a resumed run may have changed of its recipe: how long it trains, and where its learning rate ends. The rest
// shapes the weights that it has.
struct ChangeableKey {
  std::string_view name;
  double (*value)(const model::Recipe& recipe);
};
constexpr std::array<ChangeableKey, 3> kChangeable{
    {{"SOLVER.MAX_EPOCH", [](const model::Recipe& r) { return static_cast<double>(r.solver.max_epoch); }},
     {"SOLVER.COSINE_END_LR", [](const model::Recipe& r) { return r.solver.cosine_end_lr; }},
     {"TRAIN.EVAL_PERIOD", [](const model::Recipe& r) { return static_cast<double>(r.train.eval_period); }}}};

void change_key(model::Recipe& recipe, const std::string& assignment) {
  model::Recipe changed = recipe;
  set_key(changed, assignment);
  if (model::to_yaml(changed) == model::to_yaml(recipe)) return;  // as it is
  const auto name = assignment.substr(0, assignment.find('='));
  const auto* key = std::find_if(kChangeable.begin(), kChangeable.end(), [&](const auto& k) { return k.name == name; });
  if (key == kChangeable.end()) {
    throw Exception(Code::invalid_argument,
                    "--key " + name +
                        " cannot change in a run that has begun; start a new run with it (--from keeps "
                        "the weights). A resumed run takes SOLVER.MAX_EPOCH, SOLVER.COSINE_END_LR and "
                        "TRAIN.EVAL_PERIOD");
  }
  recipe = std::move(changed);
}

void say_changes(const model::Recipe& before, const model::Recipe& after) {
  for (const auto& key : kChangeable) {
    if (key.value(before) != key.value(after))
      log::info("run_changed", {{"key", std::string(key.name)}, {"from", key.value(before)}, {"to", key.value(after)}});
  }
}

struct TrainSection {
  train::TrainConfig train;
};
template <class V>
void visit(V& v, TrainSection& s) {
  v.section("train", s.train);
}

// A resumed run goes on with the settings that it began with, except for those of this command line.
void change_settings(train::TrainConfig& config, const std::vector<std::string>& sets) {
  config::Values values;
  for (const auto& assignment : sets) {
    for (const auto* frozen : {"train.image_frames", "train.net_weight"}) {
      if (assignment.starts_with(frozen))
        throw Exception(Code::invalid_argument, std::string(frozen) + " is of --frozen, which has nothing to resume");
    }
    if (assignment.starts_with("train.")) values.set(assignment);
  }
  TrainSection changed{config};
  config::resolve(values, changed);
  const auto before = config::show({}, TrainSection{config}), after = config::show({}, changed);
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i].value != after[i].value)
      log::info("run_changed", {{"key", after[i].key}, {"from", before[i].value}, {"to", after[i].value}});
  }
  config = changed.train;
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
    auto started = train::load_run_settings(options.run);
    const auto before = started.recipe;
    for (const auto& key : a.keys) change_key(started.recipe, key);
    say_changes(before, started.recipe);
    change_settings(started.config, context.sets);
    options.recipe = started.recipe;
    options.config = started.config;
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

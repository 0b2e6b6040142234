#include "reeltag/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/model/bundle.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// The run that was started last and has a model.
fs::path newest_run(const fs::path& home) {
  fs::path newest;
  if (fs::is_directory(home / "runs")) {
    for (const auto& entry : fs::directory_iterator(home / "runs")) {
      const bool finished = fs::exists(entry.path() / "bundle" / "bundle.json");
      if (finished && (newest.empty() || fs::last_write_time(entry) > fs::last_write_time(newest)))
        newest = entry.path();
    }
  }
  if (newest.empty())
    throw Exception(Code::not_found, "no finished run in " + home.string() + "; train one, or give --model");
  return newest;
}

dataset::Split split_named(const std::string& name) {
  const auto it = std::find(dataset::kSplitNames.begin(), dataset::kSplitNames.end(), name);
  return static_cast<dataset::Split>(it - dataset::kSplitNames.begin());
}

void print_figure(const char* name, const evaluate::Figure& f) {
  if (std::isnan(f.value)) return;
  char text[128];
  std::snprintf(text, sizeof text, "  %-6s %5.1f %%  (%.1f to %.1f)", name, 100 * f.value, 100 * f.low, 100 * f.high);
  print(text);
}

void print_for_people(const evaluate::Evaluation& e, const fs::path& report) {
  const auto& m = e.metrics;
  print(e.model + " on " + std::to_string(m.videos) + " " +
        std::string(dataset::kSplitNames[static_cast<std::size_t>(e.split)]) + " videos of " + e.dataset +
        ", with 95 % intervals");
  print_figure("top-1", m.top1);
  print_figure("top-5", m.top5);
  print_figure("mAP", m.map);
  print_figure("Hit@1", m.hit1);
  print_figure("GAP@20", m.gap20);
  print_figure("PERR", m.perr);
  char text[160];
  std::snprintf(text, sizeof text, "  chance: top-1 %.1f %%, mAP %.1f %%", 100 * m.chance_top1, 100 * m.chance_map);
  print(text);
  for (const auto& t : e.time) {
    constexpr std::array<const char*, 4> kNames{"", "one frame repeated", "frames shuffled", "frames reversed"};
    std::snprintf(text, sizeof text, "  with %-18s  top-1 %.1f %%, mAP %.1f %%",
                  kNames.at(static_cast<std::size_t>(t.order)), 100 * t.top1.value, 100 * t.map.value);
    print(text);
  }
  for (const auto& note : e.notes) print("  note: " + note);
  print("report: " + report.string());
}

}  // namespace

void run_evaluate(Context& context, const EvaluateArguments& a) {
  context.start();
  fs::path run, bundle;
  if (!a.model.empty()) {
    bundle = find_model(context.home(), a.model);
  } else {
    run = a.run.empty() ? newest_run(context.home()) : run_folder(context.home(), a.run);
    bundle = find_model(context.home(), run.string());
  }
  model::Predictor predictor(bundle);
  const auto trained = nlohmann::json::parse(predictor.bundle().trained, nullptr, false);
  const std::string dataset = !a.dataset.empty() ? a.dataset : trained.is_object() ? trained.value("dataset", "") : "";
  const auto set = dataset::load(context.home() / "datasets", dataset, context.tombstones());
  const auto store = context.open_store();
  evaluate::EvaluateOptions options;
  options.view_seconds = a.view_seconds;
  options.time_check = a.time_check;
  options.threads = context.config().train.decode_threads;
  options.limits = context.config().media;
  std::optional<Progress> progress;
  const auto result = evaluate::evaluate(set, split_named(a.split), predictor, *store, options,
                                         [&](std::int64_t done, std::int64_t total) {
                                           if (!progress) progress.emplace("evaluate", total);
                                           progress->update(done);
                                         });
  progress.reset();
  for (const auto& f : result.failures) context.item_failed(f.video, f.error);
  const fs::path out = !a.out.empty() ? a.out : !run.empty() ? run : fs::current_path();
  fs::create_directories(out);
  evaluate::write_results(out, result);
  if (!a.scores.empty()) evaluate::write_scores(a.scores, result);
  if (context.json) return print(evaluate::to_json(result));
  print_for_people(result, out / "report.html");
}

}  // namespace reeltag::app

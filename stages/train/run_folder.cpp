#include "run_folder.hpp"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::train {

using nlohmann::json;
namespace fs = std::filesystem;

void check_unused(const fs::path& run) {
  if (!fs::exists(run / "options.json")) return;
  throw Exception(Code::already_exists, run.string() + " holds a run already; resume it or choose another name");
}

void write_started(const dataset::Dataset& set, const Options& options) {
  fs::create_directories(options.run);
  write_file(options.run / "recipe.yaml", model::to_yaml(options.recipe));
  const auto& c = options.config;
  write_file(options.run / "options.json", json{{"dataset", set.id},
                                                {"start_from", options.start_from.string()},
                                                {"train",
                                                 {{"threads", c.threads},
                                                  {"decode_threads", c.decode_threads},
                                                  {"cache_gb", c.cache_gb},
                                                  {"precision", c.precision},
                                                  {"min_lift", c.min_lift},
                                                  {"half", c.half},
                                                  {"rank_timeout", c.rank_timeout},
                                                  {"device", c.device}}}}
                                                   .dump(1) +
                                               "\n");
}

void trim_log(const fs::path& run, int epochs) {
  const auto text = read_file(run / "log.jsonl", 1 << 28);
  if (!text) return;
  std::string kept;
  std::istringstream lines(*text);
  int n = 0;
  for (std::string line; n < epochs && std::getline(lines, line); ++n) kept += line + "\n";
  write_file(run / "log.jsonl", kept);
}

void write_epoch(const fs::path& run, const EpochLine& l) {
  json line{{"epoch", l.epoch},
            {"lr", l.learning_rate},
            {"seconds", l.seconds},
            {"seconds_wait", l.seconds_wait},
            {"cpu_ms_per_clip", l.cpu_ms_per_clip},
            {"clips", l.clips}};
  for (const auto& [name, value] : l.train) line["train_" + name] = value;
  for (const auto& [name, value] : l.val) line["val_" + name] = value;
  std::ofstream out(run / "log.jsonl", std::ios::app);
  out << line.dump() << "\n" << std::flush;
  log::Fields fields{
      {"epoch", l.epoch}, {"seconds", l.seconds}, {"waited", l.seconds_wait}, {"cpu_ms_per_clip", l.cpu_ms_per_clip}};
  for (const auto& [name, value] : l.train) fields.push_back({"train_" + name, value});
  for (const auto& [name, value] : l.val) fields.push_back({"val_" + name, value});
  log::info("epoch", fields);
}

RunSettings load_run_settings(const fs::path& run) {
  const auto text = read_file(run / "options.json", 1 << 20);
  if (!text) throw Exception(Code::not_found, "no run to resume in " + run.string());
  const json j = json::parse(*text, nullptr, false);
  RunSettings s;
  try {
    s.dataset = j.at("dataset").get<std::string>();
    s.start_from = j.at("start_from").get<std::string>();
    const auto& t = j.at("train");
    s.config = {.threads = t.at("threads"),
                .decode_threads = t.at("decode_threads"),
                .cache_gb = t.at("cache_gb"),
                .precision = t.at("precision"),
                .min_lift = t.value("min_lift", 0.0),
                .half = t.value("half", false),
                .rank_timeout = t.value("rank_timeout", TrainConfig().rank_timeout),
                .device = t.at("device").get<std::string>()};
  } catch (const json::exception& e) {
    throw Exception(Code::corrupt, (run / "options.json").string() + ": " + e.what());
  }
  s.recipe = model::load_recipe((run / "recipe.yaml").string());
  return s;
}

std::string to_json(const TrainResult& r) {
  json failed = json::array();
  for (const auto& f : r.failed) {
    failed.push_back(
        {{"video", f.video}, {"error", {{"code", code_name(f.reason.code)}, {"message", f.reason.message}}}});
  }
  json out{{"run", r.run}, {"epochs", r.epochs}, {"train", r.train}, {"val", r.val}, {"failed", failed}};
  if (r.frozen) {
    out["frozen"] = {{"blocks", r.frozen->blocks},
                     {"strength", r.frozen->strength},
                     {"net_weight", r.frozen->net_weight},
                     {"features_kept", r.frozen->kept},
                     {"features_computed", r.frozen->computed},
                     {"seconds_computing", r.frozen->seconds_computing},
                     {"seconds_saved", r.frozen->seconds_saved},
                     {"seconds_fit", r.frozen->seconds_fit}};
  }
  return out.dump();
}

}  // namespace reeltag::train

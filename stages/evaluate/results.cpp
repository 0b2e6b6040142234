#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "report.hpp"
#include "training_log.hpp"

namespace reeltag::evaluate {
namespace {

using nlohmann::json;

json number_json(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json with_interval(const Figure& f) {
  return {{"value", number_json(f.value)}, {"low", number_json(f.low)}, {"high", number_json(f.high)}};
}

json failures_by_reason(const Evaluation& e) {
  json out = json::object();
  for (const Failure& f : e.failures) {
    const std::string reason(code_name(f.error.code));
    out[reason] = out.value(reason, 0) + 1;
  }
  return out;
}

constexpr std::array<const char*, 4> kOrderNames{"forward", "repeated", "shuffled", "reversed"};

json time_figures(const Evaluation& e) {
  json out = json::object();
  for (const auto& t : e.time) {
    out[kOrderNames.at(static_cast<std::size_t>(t.order))] = {{"top1", number_json(t.top1.value)},
                                                              {"map", number_json(t.map.value)}};
  }
  return out;
}

json summary(const Evaluation& e) {
  const Metrics& m = e.metrics;
  return {{"model", e.model},
          {"dataset", e.dataset},
          {"split", dataset::kSplitNames[static_cast<std::size_t>(e.split)]},
          {"labels", dataset::kLabelModeNames[static_cast<std::size_t>(e.label_mode)]},
          {"top1", number_json(m.top1.value)},
          {"top5", number_json(m.top5.value)},
          {"map", number_json(m.map.value)},
          {"gap20", number_json(m.gap20.value)},
          {"hit1", number_json(m.hit1.value)},
          {"perr", number_json(m.perr.value)},
          {"calibration_error", number_json(e.curves.calibration_error)},
          {"chance", {{"top1", number_json(m.chance_top1)}, {"map", number_json(m.chance_map)}}},
          {"time", time_figures(e)},
          {"notes", e.notes},
          {"videos", m.videos},
          {"labelled", m.labelled},
          {"failed", e.failures.size()},
          {"failures", failures_by_reason(e)},
          {"hashtags", e.hashtags.size()},
          {"hashtags_missing", {{"in_model", e.missing_in_model.size()}, {"in_data", e.missing_in_data.size()}}},
          {"seconds", number_json(e.seconds)}};
}

json classes(const Evaluation& e) {
  json out = json::array();
  for (std::size_t c = 0; c < e.hashtags.size(); ++c) {
    const ClassFigures& f = e.metrics.classes[c];
    out.push_back({{"hashtag", e.hashtags[c]},
                   {"support", f.support},
                   {"prior", number_json(f.prior)},
                   {"ap", with_interval(f.ap)},
                   {"threshold", f.threshold},
                   {"precision", number_json(f.precision)},
                   {"recall", number_json(f.recall)},
                   {"accuracy", number_json(f.accuracy)}});
  }
  return out;
}

json curves(const Curves& c) {
  json points = json::array(), bins = json::array();
  for (const CurvePoint& p : c.precision_recall) points.push_back({p.recall, p.precision, p.threshold});
  for (const ReliabilityBin& b : c.reliability)
    bins.push_back({{"score", b.score}, {"share", b.share}, {"count", b.count}});
  return {{"precision_recall", {{"columns", {"recall", "precision", "threshold"}}, {"rows", points}}},
          {"true_scores", c.true_scores},
          {"false_scores", c.false_scores},
          {"reliability", bins}};
}

}  // namespace

std::string to_json(const Evaluation& e) { return dump_json(summary(e)); }

std::string to_metrics_json(const Evaluation& e) {
  const Metrics& m = e.metrics;
  const EvaluateOptions& o = e.options;
  json out = summary(e);
  out["format"] = 1;
  out["intervals"] = {{"top1", with_interval(m.top1)}, {"top5", with_interval(m.top5)},
                      {"map", with_interval(m.map)},   {"gap20", with_interval(m.gap20)},
                      {"hit1", with_interval(m.hit1)}, {"perr", with_interval(m.perr)},
                      {"resamples", m.resamples}};
  out["options"] = {{"view_seconds", o.view_seconds},
                    {"max_views", o.max_views},
                    {"threads", o.threads},
                    {"limits",
                     {{"max_bytes", o.limits.max_bytes},
                      {"max_pixels", o.limits.max_pixels},
                      {"max_duration", o.limits.max_duration},
                      {"max_decode_seconds", o.limits.max_decode_seconds}}}};
  out["classes"] = classes(e);
  out["missing_in_model"] = e.missing_in_model;
  out["missing_in_data"] = e.missing_in_data;
  if (!m.confusion.empty()) out["confusion"] = m.confusion;
  out["curves"] = curves(e.curves);
  out["failed_videos"] = json::array();
  for (const Failure& f : e.failures) {
    out["failed_videos"].push_back(
        {{"video", f.video}, {"error", {{"code", code_name(f.error.code)}, {"message", f.error.message}}}});
  }
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

void write_scores(const std::filesystem::path& file, const Evaluation& e) {
  std::string out = dump_json({{"model", e.model},
                               {"dataset", e.dataset},
                               {"split", dataset::kSplitNames[static_cast<std::size_t>(e.split)]},
                               {"hashtags", e.hashtags}}) +
                    "\n";
  for (std::size_t i = 0; i < e.samples.size(); ++i) {
    const Sample& s = e.samples[i];
    out += dump_json({{"video", e.videos[i]}, {"group", s.group}, {"labels", s.labels}, {"scores", s.scores}}) + "\n";
  }
  write_file(file, out);
}

void write_results(const std::filesystem::path& folder, const Evaluation& e) {
  std::filesystem::create_directories(folder);
  write_file(folder / "metrics.json", to_metrics_json(e));
  write_file(folder / "report.html", to_html(e, read_training_log(folder / "log.jsonl")));
}

}  // namespace reeltag::evaluate

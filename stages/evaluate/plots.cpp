#include "plots.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reeltag/draw/charts.hpp"
#include "reeltag/draw/html.hpp"

namespace reeltag::evaluate {

using namespace draw;

namespace {

constexpr std::size_t kOneColumn = 8;    // bars that need no second column
constexpr std::size_t kColumn = 20;      // bars in one of two columns
constexpr std::size_t kMaxHeatMap = 60;  // classes; more make the cells unreadable
constexpr std::size_t kMistakes = 8;     // commonest mistakes listed

bool is_single(const Evaluation& e) { return e.label_mode == dataset::LabelMode::single; }

BarRow bar_row(const Evaluation& e, std::size_t c) {
  const ClassFigures& f = e.metrics.classes[c];
  BarRow row;
  row.name = "#" + e.hashtags[c];
  row.share = is_single(e) ? f.accuracy : f.ap.value;
  row.marker = f.prior;
  if (!is_single(e) && std::isfinite(f.ap.low)) {
    row.low = f.ap.low;
    row.high = f.ap.high;
  }
  row.value = fixed(100 * row.share, 0) + "<tspan class=\"soft\" dx=\"5\">n&#8239;" + count(f.support) + "</tspan>";
  row.note = "#" + e.hashtags[c] + (is_single(e) ? ": named right for " : ": AP ") + fixed(100 * row.share, 1) + " %" +
             (row.low >= 0 ? " (" + fixed(100 * row.low, 1) + " to " + fixed(100 * row.high, 1) + ")" : "") + ", " +
             std::to_string(f.support) + " videos, " + fixed(100 * f.prior, 1) + " % of all";
  return row;
}

}  // namespace

std::string plot_classes(const Evaluation& e) {
  std::vector<BarRow> rows;
  for (std::size_t c = 0; c < e.hashtags.size(); ++c) {
    if (e.metrics.classes[c].support > 0) rows.push_back(bar_row(e, c));
  }
  if (rows.empty()) return "";
  std::stable_sort(rows.begin(), rows.end(), [](const BarRow& a, const BarRow& b) { return a.share > b.share; });
  const std::string what = is_single(e) ? "Named right" : "Average precision";
  const std::string axis = is_single(e) ? "Share of its videos (%)" : "Average precision (%)";
  if (rows.size() <= kOneColumn) return bar_rows(what + " per hashtag", axis, rows);
  if (rows.size() <= 2 * kColumn) {
    const auto half = static_cast<std::ptrdiff_t>((rows.size() + 1) / 2);
    return bar_rows(what + ", the better half", axis, {rows.begin(), rows.begin() + half}) +
           bar_rows(what + ", the weaker half", axis, {rows.begin() + half, rows.end()});
  }
  const auto column = static_cast<std::ptrdiff_t>(kColumn);
  return bar_rows(what + ", the best " + std::to_string(kColumn), axis, {rows.begin(), rows.begin() + column}) +
         bar_rows(what + ", the weakest " + std::to_string(kColumn), axis, {rows.end() - column, rows.end()});
}

std::string plot_confusion(const Evaluation& e) {
  const auto& counts = e.metrics.confusion;
  if (counts.empty()) return "";
  std::string out;
  const HeatWords words{.rows = "True hashtag", .columns = "Named by the model", .joint = "named"};
  if (counts.size() <= kMaxHeatMap) out += heat_map("Confusion matrix (videos)", words, e.hashtags, counts);
  struct Mistake {
    std::size_t truth, named;
    std::int64_t n;
  };
  std::vector<Mistake> mistakes;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (r != c && counts[r][c] > 0) mistakes.push_back({r, c, counts[r][c]});
    }
  }
  if (mistakes.empty()) return out;
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) { return a.n > b.n; });
  if (mistakes.size() > kMistakes) mistakes.resize(kMistakes);
  out +=
      "<figure><figcaption>The commonest mistakes</figcaption><table><thead><tr><th>True</th><th>Named</th>"
      "<th class=\"n\">Videos</th></tr></thead><tbody>";
  for (const Mistake& m : mistakes) {
    const auto all = std::accumulate(counts[m.truth].begin(), counts[m.truth].end(), std::int64_t{0});
    out += "<tr><td>#" + escape(e.hashtags[m.truth]) + "</td><td>#" + escape(e.hashtags[m.named]) +
           "</td><td class=\"n\">" + count(m.n) + " of " + count(all) + "</td></tr>";
  }
  return out + "</tbody></table></figure>\n";
}

std::string plot_precision_recall(const Evaluation& e) {
  if (e.curves.precision_recall.empty()) return "";
  Chart chart{.title = "Precision against recall",
              .x = {.label = "Recall: true hashtags found (%)", .percent = true},
              .y = {.label = "Precision: named ones true (%)", .percent = true},
              .series = {}};
  Series s{.name = "all hashtags together", .points = {}};
  for (const CurvePoint& p : e.curves.precision_recall) s.points.emplace_back(p.recall, p.precision);
  chart.series.push_back(std::move(s));
  // Precision of random scores: the share of true pairs among all.
  double truths = 0.0;
  for (const ClassFigures& f : e.metrics.classes) truths += static_cast<double>(f.support);
  chart.level = truths / static_cast<double>(e.metrics.videos) / static_cast<double>(e.hashtags.size());
  chart.level_name = "random scores";
  return line_chart(chart);
}

std::string plot_scores(const Evaluation& e) {
  const auto shares = [](const auto& counts) {
    const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    std::vector<double> out;
    for (const std::int64_t n : counts) out.push_back(all > 0 ? static_cast<double>(n) / all : 0.0);
    return out;
  };
  const std::vector<std::vector<double>> heights{shares(e.curves.true_scores), shares(e.curves.false_scores)};
  double top = 0.0;
  for (const auto& h : heights) top = std::max(top, *std::max_element(h.begin(), h.end()));
  if (top == 0.0) return "";
  const Chart chart{.title = "Scores of true and of false hashtags",
                    .x = {.label = "Score, 0 to 1"},
                    .y = {.label = "Share of each kind (%)", .low = 0.0, .high = top * 1.05, .percent = true},
                    .series = {{.name = "true hashtags", .points = {}}, {.name = "false hashtags", .points = {}}}};
  return histogram(chart, heights);
}

std::string plot_reliability(const Evaluation& e) {
  Chart chart{.title = "Calibration: what a score is worth",
              .x = {.label = is_single(e) ? "Score of the named hashtag (%)" : "Score (%)", .percent = true},
              .y = {.label = "Share that is true (%)", .percent = true},
              .series = {},
              .diagonal = true,
              .level_name = "scores to be taken literally"};
  Series s{.name = "measured", .points = {}, .notes = {}, .dots = true};
  for (const ReliabilityBin& bin : e.curves.reliability) {
    if (bin.count == 0) continue;
    s.points.emplace_back(bin.score, bin.share);
    s.notes.push_back("score " + fixed(100 * bin.score, 1) + " %: " + fixed(100 * bin.share, 1) + " % of " +
                      std::to_string(bin.count) + " true");
  }
  if (s.points.empty()) return "";
  chart.series.push_back(std::move(s));
  return line_chart(chart);
}

namespace {

using Pick = double Epoch::*;

std::string plot_epochs(const std::vector<Epoch>& epochs, const std::string& title, Axis y,
                        const std::vector<std::pair<std::string, Pick>>& lines) {
  Chart chart{.title = title,
              .x = {.label = "Epoch", .low = epochs.front().epoch, .high = epochs.back().epoch},
              .y = std::move(y),
              .series = {}};
  double top = 0.0;
  for (const auto& [name, pick] : lines) {
    Series s{.name = name, .points = {}, .notes = {}, .dots = epochs.size() <= 40};
    for (const Epoch& epoch : epochs) {
      const double v = epoch.*pick;
      if (!std::isfinite(v)) continue;
      s.points.emplace_back(epoch.epoch, v);
      s.notes.push_back("epoch " + fixed(epoch.epoch, 0) + ": " +
                        (chart.y.percent ? fixed(100 * v, 1) + " %" : fixed(v, 5)));
      top = std::max(top, v);
    }
    if (!s.points.empty()) chart.series.push_back(std::move(s));
  }
  if (chart.series.empty()) return "";
  if (!chart.y.percent && top > 0.0) chart.y.high = top * 1.05;
  return line_chart(chart);
}

}  // namespace

std::string plot_training(const std::vector<Epoch>& epochs) {
  if (epochs.empty()) return "";
  return plot_epochs(epochs, "Loss", {.label = "Loss (nats)"},
                     {{"training", &Epoch::train_loss}, {"validation", &Epoch::val_loss}}) +
         plot_epochs(epochs, "First hashtag right", {.label = "Top-1 (%)", .percent = true},
                     {{"training", &Epoch::train_top1}, {"validation", &Epoch::val_top1}}) +
         plot_epochs(epochs, "Learning rate", {.label = "Learning rate"}, {{"learning rate", &Epoch::rate}});
}

}  // namespace reeltag::evaluate

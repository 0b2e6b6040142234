// report.html: the plot of each training set, the sentence and the table. The look is that of all reports.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "display.hpp"
#include "reeltag/draw/charts.hpp"
#include "reeltag/draw/html.hpp"
#include "text.hpp"

namespace reeltag::model_selection {
namespace {

using draw::Chart;
using draw::escape;
using draw::Series;

std::string note_of(const Point& p, const Net& net, const Limits& limits) {
  return net.name + ": " + percentage(p.top1) + " top-1, " + estimated(net, thousands(net.cost.ms_per_view)) +
         " ms per view, " + estimated(net, thousands(net.cost.ms_per_view * limits.views)) + " ms per video, " +
         estimated(net, gigabytes(net.cost.peak_bytes));
}

void add(Series& series, const Point& p, const Net& net, const Limits& limits, bool label) {
  series.points.emplace_back(net.cost.ms_per_view, p.top1);
  series.notes.push_back(note_of(p, net, limits));
  series.labels.push_back(label ? estimated(net, std::filesystem::path(net.name).filename().string()) : "");
}

bool over_memory(const Net& net, const Limits& limits) {
  return net.cost.peak_bytes > limits.memory_bytes.value_or(limits.free_bytes > 0.0 ? limits.free_bytes : HUGE_VAL);
}

// Adds a margin around the values, so that no dot touches the frame.
void set_axes(Chart& chart, const Front& front, const std::vector<Net>& nets, const Limits& limits) {
  double fast = HUGE_VAL, slow = 0.0, low = 1.0, high = 0.0;
  for (const auto& p : front.points) {
    fast = std::min(fast, nets[p.net].cost.ms_per_view);
    slow = std::max(slow, nets[p.net].cost.ms_per_view);
    low = std::min(low, p.top1);
    high = std::max(high, p.top1);
  }
  if (std::isfinite(chart.beyond) && chart.beyond > 0.0) {
    fast = std::min(fast, chart.beyond);
    slow = std::max(slow, chart.beyond);
  }
  chart.x = {.label = "Milliseconds per view on this machine (" + std::to_string(limits.views) + " views a video)",
             .low = fast / 1.6,
             .high = slow * 1.6,
             .log = true};
  const double room = std::max(0.01, 0.15 * (high - low));
  chart.y = {
      .label = "Top-1 (%)", .low = std::max(0.0, low - room), .high = std::min(1.0, high + room), .percent = true};
}

std::string plot(const Front& front, const std::vector<Net>& nets, const Limits& limits) {
  Chart chart{.title = "Accuracy against time: " + front.training_set, .x = {}, .y = {}, .series = {}};
  if (limits.ms_per_video) {
    chart.beyond = *limits.ms_per_video / limits.views;
    chart.beyond_name = "over " + thousands(*limits.ms_per_video) + " ms per video";
  }
  set_axes(chart, front, nets, limits);
  Series best{.name = "front: none faster and better", .points = {}, .dots = true};
  Series rest{.name = "other nets", .points = {}, .dots = true, .line = false};
  Series pick{.name = "pick", .points = {}, .dots = true, .line = false, .radius = 6.5};
  Series large{.name = "over the memory limit", .points = {}, .dots = true, .line = false, .radius = 5.0};
  for (std::size_t i = 0; i < front.points.size(); ++i) {
    const Point& p = front.points[i];
    const Net& net = nets[p.net];
    add(p.on_front ? best : rest, p, net, limits, p.on_front);
    if (front.pick == i) add(pick, p, net, limits, !p.on_front);
    if (over_memory(net, limits)) add(large, p, net, limits, false);
  }
  chart.series = {std::move(best), std::move(rest), std::move(pick)};
  if (!large.points.empty()) chart.series.push_back(std::move(large));
  return line_chart(chart);
}

std::string table_row(const Row& row, const Limits& limits) {
  const Net& net = *row.net;
  std::string out = row.pick ? "<tr class=\"pick\"><td>" : "<tr><td>";
  out += escape(net.name) + "</td><td class=\"n\">" + (row.pick ? "pick" : row.on_front ? "front" : "") + "</td>";
  for (const auto& cell :
       {short_number(static_cast<double>(net.parameters) / 1e6), short_number(net.multiply_adds / 1e9),
        estimated(net, thousands(net.cost.ms_per_view)), estimated(net, thousands(net.cost.ms_per_view * limits.views)),
        estimated(net, gigabytes(net.cost.peak_bytes))}) {
    out += "<td class=\"n\">" + cell + "</td>";
  }
  return out + "<td class=\"n\">" + accuracy_text(row) + "</td><td>" +
         escape(net.cost.failure.empty() ? accuracy_of(row) : "not measured: " + net.cost.failure) + "</td></tr>";
}

std::string table(const Answer& a) {
  std::string out =
      "<section><h2>All nets</h2><p>" + std::string("Front: ") + kFront + ". ~: " + kEstimate +
      ". Of top-1: " + kViews +
      ".</p><figure><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Net</th><th></th>"
      "<th class=\"n\">Parameters (M)</th><th class=\"n\">Multiply-adds (G)</th><th class=\"n\">ms per view</th>"
      "<th class=\"n\">ms per video</th><th class=\"n\">Memory</th><th "
      "class=\"n\">Top-1</th><th>on</th></tr></thead><tbody>";
  for (const auto& row : rows(a)) out += table_row(row, a.limits);
  return out + "</tbody></table></div></figure></section>\n";
}

std::string omitted(const Answer& a) {
  if (a.nets_considered.omitted.empty()) return "";
  std::string out = "<details><summary>" + std::to_string(a.nets_considered.omitted.size()) +
                    " recipes left out</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Recipe</th>"
                    "<th>Reason</th></tr></thead><tbody>";
  for (const auto& o : a.nets_considered.omitted)
    out += "<tr><td>" + escape(o.net) + "</td><td>" + escape(o.reason) + "</td></tr>";
  return out + "</tbody></table></div></details>\n";
}

}  // namespace

std::string to_html(const Answer& a) {
  std::string body = "<header><p class=\"brand\">reeltag</p><h1>Which net?</h1><p class=\"facts\"><span>" +
                     escape(conditions(a)) + "</span><span>libtorch " + escape(a.libtorch) + "</span></p></header>\n";
  body += "<p class=\"lead\">" + escape(a.choice.why) + "</p>\n";
  if (!a.choice.fronts.empty()) {
    body +=
        "<section><h2>Accuracy against time</h2><p>One plot a training set: accuracies of different sets cannot be "
        "compared.</p><div class=\"grid\">";
    for (const auto& front : a.choice.fronts) body += plot(front, a.nets_considered.nets, a.limits);
    body += "</div><ul>";
    for (const auto& front : a.choice.fronts)
      body += "<li><b>" + escape(front.training_set) + "</b>: " + escape(front.why) + "</li>";
    body += "</ul></section>\n";
  }
  body += table(a) + omitted(a);
  body +=
      "<footer>Time: the median of one to three forward passes of one clip with random weights after a warm-up, in a "
      "process of its own; memory: the most that this process held, libtorch included. Decoding is not in it. "
      "Published accuracy is a claim of its authors.</footer>";
  return draw::page("Which net?", body);
}

}  // namespace reeltag::model_selection

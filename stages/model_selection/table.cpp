// Formats the answer as lines for a terminal and as JSON.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "display.hpp"
#include "reeltag/base/json.hpp"
#include "text.hpp"

namespace reeltag::model_selection {
namespace {

using nlohmann::ordered_json;

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }
ordered_json number(const std::optional<double>& value) { return value ? number(*value) : ordered_json(nullptr); }

ordered_json net_json(const Net& net, const Limits& limits) {
  ordered_json out{{"net", net.name},
                   {"training_set", net.training_set.empty() ? ordered_json(nullptr) : ordered_json(net.training_set)},
                   {"parameters", net.parameters},
                   {"multiply_adds", net.multiply_adds},
                   {"ms_per_view", number(net.cost.ms_per_view)},
                   {"ms_per_video", number(net.cost.ms_per_view * limits.views)},
                   {"peak_memory_bytes", number(net.cost.peak_bytes)},
                   {"measured", net.cost.measured},
                   {"published", nullptr},
                   {"own", ordered_json::array()}};
  if (!net.cost.failure.empty()) out["error"] = net.cost.failure;
  if (net.published) {
    out["published"] = {
        {"top1", number(net.published->top1)}, {"top5", number(net.published->top5)}, {"views", net.published->views}};
  }
  for (const auto& own : net.own) {
    out["own"].push_back({{"run", own.run},
                          {"dataset", own.dataset},
                          {"split", own.split},
                          {"top1", number(own.top1)},
                          {"top5", number(own.top5)},
                          {"videos", own.videos}});
  }
  return out;
}

ordered_json front_json(const Front& front, const std::vector<Net>& nets) {
  ordered_json points = ordered_json::array();
  for (const auto& p : front.points) {
    points.push_back({{"net", nets[p.net].name},
                      {"top1", p.top1},
                      {"source", p.source},
                      {"on_front", p.on_front},
                      {"fits", p.fits}});
  }
  return {{"training_set", front.training_set},
          {"nets", points},
          {"pick", front.pick ? ordered_json(nets[front.points[*front.pick].net].name) : ordered_json(nullptr)},
          {"why", front.why}};
}

// Cells of one row: net, parameters, multiply-adds, ms per view, ms per video, memory, top-1, and its dataset.
using Cells = std::array<std::string, 8>;

Cells cells(const Row& row, const Limits& limits) {
  const Net& net = *row.net;
  return {std::string(row.pick ? ">" : " ") + (row.on_front ? "* " : "  ") + net.name,
          short_number(static_cast<double>(net.parameters) / 1e6) + " M",
          short_number(net.multiply_adds / 1e9) + " G",
          estimated(net, thousands(net.cost.ms_per_view)),
          estimated(net, thousands(net.cost.ms_per_view * limits.views)),
          estimated(net, gigabytes(net.cost.peak_bytes)),
          accuracy_text(row),
          accuracy_of(row)};
}

// Sizes columns to their content; numbers are right-aligned.
std::vector<std::string> laid_out(const std::vector<Cells>& table) {
  std::array<std::size_t, 8> widths{};
  for (const auto& row : table) {
    for (std::size_t c = 0; c < row.size(); ++c) widths.at(c) = std::max(widths.at(c), row.at(c).size());
  }
  std::vector<std::string> lines;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string gap(widths.at(c) - row.at(c).size(), ' ');
      const bool left = c == 0 || c + 1 == row.size();
      line += (c == 0 ? "" : "  ") + (left ? row.at(c) + gap : gap + row.at(c));
    }
    lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return lines;
}

std::map<std::string, std::string> left_out_by_reason(const Answer& a) {
  std::map<std::string, std::string> out;
  for (const auto& o : a.nets_considered.omitted) out[o.reason] += (out[o.reason].empty() ? "" : ", ") + o.net;
  return out;
}

}  // namespace

std::string to_json(const Answer& a) {
  ordered_json out{
      {"machine", {{"cpu", a.machine.cpu}, {"threads", a.machine.threads}, {"free_bytes", a.machine.free_bytes}}},
      {"program", a.program},
      {"libtorch", a.libtorch},
      {"views", a.limits.views},
      {"limits", {{"ms_per_video", number(a.limits.ms_per_video)}, {"memory_bytes", number(a.limits.memory_bytes)}}},
      {"pick", nullptr},
      {"why", a.choice.why},
      {"fits", a.choice.fits},
      {"fronts", ordered_json::array()},
      {"nets", ordered_json::array()},
      {"left_out", ordered_json::array()}};
  for (const auto& front : a.choice.fronts) out["fronts"].push_back(front_json(front, a.nets_considered.nets));
  for (const auto& net : a.nets_considered.nets) out["nets"].push_back(net_json(net, a.limits));
  for (const auto& o : a.nets_considered.omitted) out["left_out"].push_back({{"net", o.net}, {"reason", o.reason}});
  if (a.choice.pick) {
    const Front& front = a.choice.fronts[*a.choice.pick];
    out["pick"] = {{"net", a.nets_considered.nets[front.points[*front.pick].net].name},
                   {"training_set", front.training_set}};
  }
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::vector<std::string> to_table(const Answer& a) {
  std::vector<Cells> table{{"   net", "parameters", "mult-adds", "ms/view", "ms/video", "memory", "top-1", "on"}};
  for (const auto& row : rows(a)) table.push_back(cells(row, a.limits));
  std::vector<std::string> lines{conditions(a)};
  for (auto& line : laid_out(table)) lines.push_back(std::move(line));
  lines.push_back(std::string("> the pick; * ") + kFront + ";");
  lines.push_back(std::string("~ ") + kEstimate + "; " + kViews);
  for (const auto& net : a.nets_considered.nets) {
    if (!net.cost.failure.empty()) lines.push_back("not measured: " + net.name + ": " + net.cost.failure);
  }
  for (const auto& [reason, names] : left_out_by_reason(a)) lines.push_back("left out, " + reason + ": " + names);
  if (!a.choice.pick) lines.push_back(a.choice.why);
  for (const auto& front : a.choice.fronts) {
    if (a.choice.pick || front.why != a.choice.why) lines.push_back(front.training_set + ": " + front.why);
  }
  return lines;
}

}  // namespace reeltag::model_selection

#include "display.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <set>

#include "reeltag/draw/html.hpp"
#include "text.hpp"

namespace reeltag::model_selection {

using draw::fixed;

std::string thousands(double value) {
  if (!std::isfinite(value)) return "-";
  if (std::abs(value) < 100.0) return fixed(value, std::abs(value) < 10.0 ? 2 : 1);
  std::string digits = fixed(value, 0);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (digits.front() == '-' ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string short_number(double value) {
  if (!std::isfinite(value)) return "-";
  if (value != 0.0 && std::abs(value) < 0.1) {
    char small[32];
    std::snprintf(small, sizeof small, "%.3g", value);
    return small;
  }
  std::string text = fixed(value, std::abs(value) >= 100.0 ? 0 : std::abs(value) >= 10.0 ? 1 : 2);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string gigabytes(double bytes) { return std::isfinite(bytes) ? fixed(bytes / 1e9, 2) + " GB" : "-"; }
std::string percentage(double share) { return std::isfinite(share) ? fixed(100.0 * share, 1) + " %" : "-"; }

std::vector<Row> rows(const Answer& a) {
  std::vector<Row> out;
  std::set<std::size_t> shown;
  for (const auto& front : a.choice.fronts) {
    for (std::size_t i = 0; i < front.points.size(); ++i) {
      const Point& p = front.points[i];
      out.push_back({.net = &a.nets_considered.nets[p.net],
                     .front = &front,
                     .point = &p,
                     .on_front = p.on_front,
                     .pick = front.pick == i});
      shown.insert(p.net);
    }
  }
  std::vector<Row> rest;
  for (std::size_t i = 0; i < a.nets_considered.nets.size(); ++i) {
    if (!shown.contains(i)) rest.push_back({.net = &a.nets_considered.nets[i]});
  }
  std::stable_sort(rest.begin(), rest.end(),
                   [](const Row& x, const Row& y) { return x.net->multiply_adds < y.net->multiply_adds; });
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::string accuracy_text(const Row& row) { return row.point == nullptr ? "-" : percentage(row.point->top1); }

std::string accuracy_of(const Row& row) {
  if (row.point == nullptr) return "";
  if (row.point->source != "published") return row.front->training_set + ", run " + row.point->source;
  const std::string& views = row.net->published->views;
  return row.front->training_set + (views.empty() ? "" : ", " + views + " views");
}

std::string estimated(const Net& net, const std::string& figure) {
  return net.cost.measured || figure == "-" ? figure : "~" + figure;
}

std::string conditions(const Answer& a) {
  std::string out = a.machine.cpu + ", " + std::to_string(a.machine.threads) +
                    (a.machine.threads == 1 ? " thread, " : " threads, ") + gigabytes(a.machine.free_bytes) +
                    " free; a video is " + std::to_string(a.limits.views) + (a.limits.views == 1 ? " view" : " views") +
                    " (--views); limits: ";
  std::string limits;
  if (a.limits.ms_per_video) limits += thousands(*a.limits.ms_per_video) + " ms per video";
  if (a.limits.memory_bytes) limits += (limits.empty() ? "" : ", ") + gigabytes(*a.limits.memory_bytes);
  return out + (limits.empty() ? "none" : limits);
}

}  // namespace reeltag::model_selection

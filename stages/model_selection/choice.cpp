#include <algorithm>
#include <cmath>
#include <map>

#include "reeltag/model_selection.hpp"
#include "text.hpp"

namespace reeltag::model_selection {
namespace {

// A given limit, or the machine's memory.
struct Bound {
  std::string name;  // "--ms-per-video 2000"
  double most = 0.0;
  double (*need)(const Net&, const Limits&) = nullptr;
};

double ms_per_video(const Net& net, const Limits& limits) { return net.cost.ms_per_view * limits.views; }
double memory(const Net& net, const Limits& /*limits*/) { return net.cost.peak_bytes; }

std::vector<Bound> bounds_of(const Limits& limits) {
  std::vector<Bound> out;
  if (limits.ms_per_video) {
    out.push_back({"--ms-per-video " + short_number(*limits.ms_per_video), *limits.ms_per_video, ms_per_video});
  }
  if (limits.memory_bytes) {
    out.push_back({"--memory " + short_number(*limits.memory_bytes / 1e9), *limits.memory_bytes, memory});
  } else if (limits.free_bytes > 0.0) {
    out.push_back({"this machine's free memory of " + gigabytes(limits.free_bytes), limits.free_bytes, memory});
  }
  return out;
}

bool known(const Net& net) { return std::isfinite(net.cost.ms_per_view) && std::isfinite(net.cost.peak_bytes); }

bool fits(const Net& net, const Limits& limits) {
  const auto bounds = bounds_of(limits);
  return known(net) &&
         std::all_of(bounds.begin(), bounds.end(), [&](const Bound& b) { return b.need(net, limits) <= b.most; });
}

// The bound that the net exceeds most, and how many times.
std::pair<const Bound*, double> tightest(const std::vector<Bound>& bounds, const Net& net, const Limits& limits) {
  std::pair<const Bound*, double> worst{nullptr, 0.0};
  for (const auto& b : bounds) {
    const double times = b.most > 0.0 ? b.need(net, limits) / b.most : std::numeric_limits<double>::infinity();
    if (times > worst.second) worst = {&b, times};
  }
  return worst;
}

std::string cost_text(const Net& net, const Limits& limits) {
  const std::string about = net.cost.measured ? "" : "about ";
  return about + thousands(ms_per_video(net, limits)) + " ms per video and " + about + gigabytes(net.cost.peak_bytes);
}

// "No net fits: ...", over the nets at these indices.
std::string no_fit(const std::vector<Net>& nets, const std::vector<std::size_t>& places, const Limits& limits) {
  const auto bounds = bounds_of(limits);
  const Net* nearest = nullptr;
  std::pair<const Bound*, double> limit{nullptr, std::numeric_limits<double>::infinity()};
  for (const auto i : places) {
    if (!known(nets[i])) continue;
    const auto worst = tightest(bounds, nets[i], limits);
    if (nearest == nullptr || worst.second < limit.second) {
      limit = worst;
      nearest = &nets[i];
    }
  }
  if (nearest == nullptr || limit.first == nullptr) return "No net fits: none of them could be measured.";
  return "No net fits: " + limit.first->name + " is the tightest limit; the nearest net, " + nearest->name +
         ", needs " + cost_text(*nearest, limits) + ", " + short_number(limit.second) + " times that limit.";
}

std::string within(const Limits& limits) {
  std::string out;
  if (limits.ms_per_video) out += thousands(*limits.ms_per_video) + " ms per video";
  if (limits.memory_bytes) out += (out.empty() ? "" : " and ") + gigabytes(*limits.memory_bytes);
  return out.empty() ? "that this machine can hold, no limit being given" : "within " + out;
}

// The next better net if the limits were wider: the fastest of the more accurate ones.
const Point* next_better(const std::vector<Net>& nets, const Front& front, const Point& pick) {
  const Point* next = nullptr;
  for (const auto& p : front.points) {
    if (p.top1 <= pick.top1) continue;
    if (next == nullptr || nets[p.net].cost.ms_per_view < nets[next->net].cost.ms_per_view) next = &p;
  }
  return next;
}

std::string why_picked(const std::vector<Net>& nets, const Front& front, const Limits& limits) {
  const Point& pick = front.points[*front.pick];
  const Net& net = nets[pick.net];
  std::string out = net.name + " is the most accurate net on " + front.training_set + " " + within(limits) + ": " +
                    percentage(pick.top1) + " top-1 (" +
                    (pick.source == "published" ? "published" : "run " + pick.source) + ") for " +
                    cost_text(net, limits);
  if (const Point* next = next_better(nets, front, pick)) {
    out += "; the next better one, " + nets[next->net].name + " (" + percentage(next->top1) + "), needs " +
           cost_text(nets[next->net], limits);
  }
  return out + ".";
}

void mark_front(const std::vector<Net>& nets, std::vector<Point>& points) {
  const auto ms = [&](const Point& p) { return nets[p.net].cost.ms_per_view; };
  std::sort(points.begin(), points.end(),
            [&](const Point& a, const Point& b) { return ms(a) != ms(b) ? ms(a) < ms(b) : a.top1 > b.top1; });
  for (auto& p : points) {
    p.on_front = std::none_of(points.begin(), points.end(), [&](const Point& other) {
      return ms(other) <= ms(p) && other.top1 >= p.top1 && (ms(other) < ms(p) || other.top1 > p.top1);
    });
  }
}

Front make_front(const std::string& training_set, std::vector<Point> points, const std::vector<Net>& nets,
                 const Limits& limits) {
  mark_front(nets, points);
  Front front{.training_set = training_set, .points = std::move(points)};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < front.points.size(); ++i) {
    Point& p = front.points[i];
    places.push_back(p.net);
    p.fits = fits(nets[p.net], limits);
    // Points are ordered from fast to slow, so of two equally accurate ones the first stays.
    if (p.fits && (!front.pick || p.top1 > front.points[*front.pick].top1)) front.pick = i;
  }
  front.why = front.pick ? why_picked(nets, front, limits) : no_fit(nets, places, limits);
  return front;
}

// The best run per own dataset and split.
std::map<std::string, OwnResult> best_runs(const Net& net) {
  std::map<std::string, OwnResult> best;
  for (const auto& own : net.own) {
    const auto [it, added] = best.try_emplace(own.dataset + " (" + own.split + ")", own);
    if (!added && own.top1 > it->second.top1) it->second = own;
  }
  return best;
}

// Sets the overall pick, and the reason for it or for its absence.
void conclude(Choice& choice, const std::vector<Net>& nets, const Limits& limits) {
  for (std::size_t i = 0; i < choice.fronts.size() && !choice.pick; ++i) {
    if (choice.fronts[i].pick) choice.pick = i;
  }
  if (choice.pick) {
    choice.fits = true;
    choice.why = choice.fronts[*choice.pick].why;
    return;
  }
  std::vector<std::size_t> all, rated;
  std::string fitting;
  for (std::size_t i = 0; i < nets.size(); ++i) {
    all.push_back(i);
    if (fits(nets[i], limits)) fitting += (fitting.empty() ? "" : ", ") + nets[i].name;
  }
  for (const auto& front : choice.fronts) {
    for (const auto& p : front.points) rated.push_back(p.net);
  }
  choice.fits = rated.empty() && !fitting.empty();
  if (choice.fits) {
    choice.why = "No pick: these nets fit, and no accuracy is known of any (" + fitting +
                 "); train and evaluate them on one dataset to compare.";
    return;
  }
  choice.why = no_fit(nets, rated.empty() ? all : rated, limits);
  if (!fitting.empty()) choice.why += " Within the limits, but of unknown accuracy: " + fitting + ".";
}

}  // namespace

Choice choose(const std::vector<Net>& nets, const Limits& limits, const std::string& training_set) {
  std::map<std::string, std::vector<Point>> published, own;
  for (std::size_t i = 0; i < nets.size(); ++i) {
    if (!known(nets[i])) continue;
    if (nets[i].published && std::isfinite(nets[i].published->top1))
      published[nets[i].training_set].push_back({.net = i, .top1 = nets[i].published->top1, .source = "published"});
    for (const auto& [set, run] : best_runs(nets[i]))
      own[set].push_back({.net = i, .top1 = run.top1, .source = run.run});
  }
  Choice choice;
  const auto add = [&](const std::string& set, std::vector<Point> points) {
    if (!points.empty() && (training_set.empty() || training_set == set))
      choice.fronts.push_back(make_front(set, std::move(points), nets, limits));
  };
  for (const auto* set : {"kinetics", "imagenet", "ssv2"}) add(set, published[set]);
  for (auto& [set, points] : own) add(set, std::move(points));
  conclude(choice, nets, limits);
  return choice;
}

}  // namespace reeltag::model_selection

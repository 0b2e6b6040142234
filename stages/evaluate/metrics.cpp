#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

namespace reeltag::evaluate {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kGapDepth = 20;   // scores of a video that GAP@20 pools
constexpr std::uint64_t kSeed = 20260;  // of the resamples; any fixed number
constexpr double kWork = 4e9;           // maximum score visits of all resamples together, about ten seconds
constexpr int kMinResamples = 100;

bool has(const std::vector<int>& labels, int c) { return std::binary_search(labels.begin(), labels.end(), c); }

std::size_t best_class(const Sample& s) {
  return static_cast<std::size_t>(std::max_element(s.scores.begin(), s.scores.end()) - s.scores.begin());
}

double ratio(double part, double whole) { return whole > 0.0 ? part / whole : kNone; }

// How often each video counts: 1 in the data itself, 0, 1, 2... in a resample.
using Weights = std::vector<int>;

// Entries of one ranked list, best first.
struct Ranked {
  std::vector<std::uint32_t> video;
  std::vector<bool> hit;
};

// Non-interpolated average precision of a list in which a video may stand several times in a row.
double average_precision(const Ranked& list, const Weights& weights, double positives) {
  if (positives <= 0.0) return kNone;
  double rank = 0.0, found = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < list.video.size(); ++i) {
    const int copies = weights[list.video[i]];
    if (list.hit[i]) {
      for (int k = 1; k <= copies; ++k) sum += (found + k) / (rank + k);
      found += copies;
    }
    rank += copies;
  }
  return sum / positives;
}

// One video's contribution to the metrics that are means over videos.
struct PerVideo {
  bool labelled = false;
  double top1 = 0.0, top5 = 0.0, hit1 = 0.0, perr = 0.0;
};

PerVideo judge(const Sample& s) {
  PerVideo v;
  v.labelled = !s.labels.empty();
  if (!v.labelled) return v;  // a miss for Hit@1 and PERR, as in youtube-8m
  const auto order = ranking(s.scores, std::max<std::size_t>(5, s.labels.size()));
  // With one label this is "the label is among the best k".
  const auto any_of_best = [&](std::size_t k) {
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, order.size()));
    return std::any_of(order.begin(), end, [&](int c) { return has(s.labels, c); });
  };
  v.top1 = v.hit1 = any_of_best(1) ? 1.0 : 0.0;
  v.top5 = any_of_best(5) ? 1.0 : 0.0;
  int found = 0;
  for (std::size_t i = 0; i < s.labels.size(); ++i) {
    const int c = order[i];
    if (s.scores[static_cast<std::size_t>(c)] > 0.0F && has(s.labels, c)) ++found;
  }
  v.perr = found / static_cast<double>(s.labels.size());
  return v;
}

struct Totals {
  double top1, top5, map, gap20, hit1, perr;
  std::vector<double> ap;
};

// Sorted lists, built once; every resample scans them with other weights.
class Lists {
 public:
  Lists(std::span<const Sample> samples, std::size_t classes) : positives_(classes), by_class_(classes) {
    for (const Sample& s : samples) videos_.push_back(judge(s));
    for (std::size_t c = 0; c < classes; ++c) add_class(samples, static_cast<int>(c));
    add_pool(samples);
  }

  [[nodiscard]] Totals totals(const Weights& weights) const {
    Totals t{};
    double all = 0.0, labelled = 0.0;
    for (std::size_t i = 0; i < videos_.size(); ++i) {
      const double w = weights[i];
      const PerVideo& v = videos_[i];
      all += w;
      if (v.labelled) labelled += w;
      t.top1 += w * v.top1;
      t.top5 += w * v.top5;
      t.hit1 += w * v.hit1;
      t.perr += w * v.perr;
    }
    t.top1 = ratio(t.top1, labelled);
    t.top5 = ratio(t.top5, labelled);
    t.hit1 = ratio(t.hit1, all);
    t.perr = ratio(t.perr, all);
    double sum = 0.0, with_support = 0.0, positives = 0.0;
    for (std::size_t c = 0; c < by_class_.size(); ++c) {
      double n = 0.0;
      for (const std::uint32_t video : positives_[c]) n += weights[video];
      positives += n;
      t.ap.push_back(average_precision(by_class_[c], weights, n));
      if (n > 0.0) {
        sum += t.ap.back();
        ++with_support;
      }
    }
    t.map = ratio(sum, with_support);
    t.gap20 = average_precision(pool_, weights, positives);
    return t;
  }

 private:
  // A class without a true video has no AP in any resample, and needs no list.
  void add_class(std::span<const Sample> samples, int c) {
    auto& positives = positives_[static_cast<std::size_t>(c)];
    for (std::uint32_t i = 0; i < samples.size(); ++i) {
      if (has(samples[i].labels, c)) positives.push_back(i);
    }
    if (positives.empty()) return;
    const auto score = [&](std::uint32_t i) { return samples[i].scores[static_cast<std::size_t>(c)]; };
    Ranked& list = by_class_[static_cast<std::size_t>(c)];
    list.video.resize(samples.size());
    std::iota(list.video.begin(), list.video.end(), 0U);
    std::stable_sort(list.video.begin(), list.video.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return score(a) > score(b); });
    for (const std::uint32_t i : list.video) list.hit.push_back(has(samples[i].labels, c));
  }

  void add_pool(std::span<const Sample> samples) {
    struct Entry {
      float score;
      std::uint32_t video;
      bool hit;
    };
    std::vector<Entry> entries;
    for (std::uint32_t i = 0; i < samples.size(); ++i) {
      for (const int c : ranking(samples[i].scores, kGapDepth)) {
        entries.push_back({samples[i].scores[static_cast<std::size_t>(c)], i, has(samples[i].labels, c)});
      }
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.score > b.score; });
    for (const Entry& e : entries) {
      pool_.video.push_back(e.video);
      pool_.hit.push_back(e.hit);
    }
  }

  std::vector<PerVideo> videos_;
  std::vector<std::vector<std::uint32_t>> positives_;  // videos of each class
  std::vector<Ranked> by_class_;
  Ranked pool_;
};

// 2.5 % and 97.5 % points of the values that are numbers.
Figure interval(double value, std::vector<double>& values) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (std::isnan(value) || values.empty()) return {value, value, value};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {value, at(0.025), at(0.975)};
}

// Widens the interval of a share to Wilson's for as many independent draws as there are groups. Resamples of few groups
// say too little: where all are right every resample is, too. Source: Wilson, "Probable inference", JASA 22 (1927).
void widen_share(Figure& share, std::size_t groups) {
  constexpr double kZ = 1.96;             // 95 %
  constexpr std::size_t kFewGroups = 30;  // from here on resampling and Wilson agree
  if (std::isnan(share.value) || groups == 0 || groups >= kFewGroups) return;
  const auto n = static_cast<double>(groups);
  const double center = (share.value + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ / (1 + kZ * kZ / n) * std::sqrt(share.value * (1 - share.value) / n + kZ * kZ / (4 * n * n));
  share.low = std::min(share.low, std::max(0.0, center - half));
  share.high = std::max(share.high, std::min(1.0, center + half));
}

std::vector<std::vector<std::uint32_t>> groups_of(std::span<const Sample> samples) {
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < samples.size(); ++i) {
    const auto [at, fresh] = index.emplace(samples[i].group, groups.size());
    if (fresh) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  return groups;
}

int affordable(int wanted, std::size_t videos, std::size_t classes) {
  const double each = static_cast<double>(videos) * (static_cast<double>(classes) + static_cast<double>(kGapDepth));
  if (wanted * each <= kWork) return wanted;
  return std::min(wanted, std::max(kMinResamples, static_cast<int>(kWork / each)));
}

void set_figures(Metrics& m, const Lists& lists, std::span<const Sample> samples) {
  const Totals point = lists.totals(Weights(samples.size(), 1));
  const auto groups = groups_of(samples);
  std::vector<Totals> resampled;
  std::mt19937_64 random(kSeed);
  // Own reduction to a range: std::uniform_int_distribution differs between standard libraries. The bias is below
  // 2^-32.
  const auto draw = [&] { return static_cast<std::size_t>(((random() >> 32) * groups.size()) >> 32); };
  for (int r = 0; r < m.resamples; ++r) {
    Weights weights(samples.size(), 0);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const std::uint32_t video : groups[draw()]) ++weights[video];
    }
    resampled.push_back(lists.totals(weights));
  }
  std::vector<double> values;
  const auto figure = [&](auto&& pick) {
    values.clear();
    for (const Totals& t : resampled) values.push_back(pick(t));
    return interval(pick(point), values);
  };
  m.top1 = figure([](const Totals& t) { return t.top1; });
  m.top5 = figure([](const Totals& t) { return t.top5; });
  m.map = figure([](const Totals& t) { return t.map; });
  m.gap20 = figure([](const Totals& t) { return t.gap20; });
  m.hit1 = figure([](const Totals& t) { return t.hit1; });
  m.perr = figure([](const Totals& t) { return t.perr; });
  if (m.resamples > 0) {
    for (Figure* share : {&m.top1, &m.top5, &m.hit1}) widen_share(*share, groups.size());
  }
  for (std::size_t c = 0; c < m.classes.size(); ++c) {
    m.classes[c].ap = figure([c](const Totals& t) { return t.ap[c]; });
  }
}

void set_class_counts(Metrics& m, std::span<const Sample> samples, std::span<const double> thresholds) {
  for (std::size_t c = 0; c < m.classes.size(); ++c) {
    ClassFigures& f = m.classes[c];
    f.threshold = thresholds[c];
    double named = 0.0, right = 0.0, best = 0.0;
    for (const Sample& s : samples) {
      const bool truth = has(s.labels, static_cast<int>(c));
      const bool said = static_cast<double>(s.scores[c]) >= f.threshold;
      f.support += truth ? 1 : 0;
      named += said ? 1.0 : 0.0;
      right += said && truth ? 1.0 : 0.0;
      best += truth && best_class(s) == c ? 1.0 : 0.0;
    }
    const auto support = static_cast<double>(f.support);
    f.prior = ratio(support, static_cast<double>(samples.size()));
    f.precision = ratio(right, named);
    f.recall = ratio(right, support);
    f.accuracy = ratio(best, support);
  }
}

void set_chance(Metrics& m) {
  double most = 0.0, priors = 0.0, with_support = 0.0;
  for (const ClassFigures& f : m.classes) {
    if (f.support == 0) continue;
    most = std::max(most, static_cast<double>(f.support));
    priors += f.prior;
    ++with_support;
  }
  m.chance_top1 = ratio(most, static_cast<double>(m.labelled));
  m.chance_map = ratio(priors, with_support);
}

}  // namespace

std::vector<int> ranking(std::span<const float> scores, std::size_t top) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int a, int b) {
    const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const std::size_t n = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), better);
  order.resize(n);
  return order;
}

void check_samples(std::span<const Sample> samples, std::size_t classes) {
  for (const Sample& s : samples) {
    if (s.scores.size() != classes) {
      throw Exception(Code::invalid_argument, "evaluate: " + std::to_string(s.scores.size()) + " scores for " +
                                                  std::to_string(classes) + " classes");
    }
    for (const float score : s.scores) {
      if (std::isnan(score)) throw Exception(Code::invalid_argument, "evaluate: a score is not a number");
    }
    const auto bad = [&](int c) { return c < 0 || static_cast<std::size_t>(c) >= classes; };
    if (std::any_of(s.labels.begin(), s.labels.end(), bad) ||
        std::adjacent_find(s.labels.begin(), s.labels.end(), std::greater_equal<>()) != s.labels.end()) {
      throw Exception(Code::invalid_argument,
                      "evaluate: labels must be ascending indices below " + std::to_string(classes));
    }
  }
}

Metrics measure(std::span<const Sample> samples, std::span<const double> thresholds, dataset::LabelMode mode,
                int resamples) {
  const std::size_t classes = thresholds.size();
  check_samples(samples, classes);
  const bool single = mode == dataset::LabelMode::single;
  if (single && std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.labels.size() > 1; })) {
    throw Exception(Code::invalid_argument, "evaluate: a video of a single-label dataset has two labels");
  }
  Metrics m;
  m.videos = static_cast<std::int64_t>(samples.size());
  m.labelled = std::count_if(samples.begin(), samples.end(), [](const Sample& s) { return !s.labels.empty(); });
  m.classes.resize(classes);
  m.resamples = affordable(resamples, samples.size(), classes);
  if (single) {
    m.confusion.assign(classes, std::vector<std::int64_t>(classes, 0));
    for (const Sample& s : samples) {
      if (s.labels.empty()) continue;
      ++m.confusion[static_cast<std::size_t>(s.labels.front())][best_class(s)];
    }
  }
  set_class_counts(m, samples, thresholds);
  set_chance(m);
  set_figures(m, Lists(samples, classes), samples);
  return m;
}

}  // namespace reeltag::evaluate

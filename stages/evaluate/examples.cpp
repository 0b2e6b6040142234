#include "examples.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "metrics.hpp"
#include "reeltag/dataset/stats.hpp"

namespace reeltag::evaluate {
namespace {

constexpr std::size_t kGuesses = 3;  // predicted hashtags shown
constexpr int kBestPerHashtag = 2;

double quality(const Sample& s) {
  double worst_true = 1.0, best_false = 0.0;
  for (std::size_t c = 0; c < s.scores.size(); ++c) {
    const auto score = static_cast<double>(s.scores[c]);
    if (std::binary_search(s.labels.begin(), s.labels.end(), static_cast<int>(c))) {
      worst_true = std::min(worst_true, score);
    } else {
      best_false = std::max(best_false, score);
    }
  }
  return worst_true - best_false;
}

Example example(const Evaluation& e, std::size_t i, double worth) {
  const Sample& s = e.samples[i];
  Example x{.video = e.videos[i], .caption = {}, .hashtags = {}, .predicted = {}, .jpeg = {}, .quality = worth};
  for (const int c : s.labels) x.hashtags.push_back(e.hashtags[static_cast<std::size_t>(c)]);
  for (const int c : ranking(s.scores, kGuesses)) {
    x.predicted.emplace_back(e.hashtags[static_cast<std::size_t>(c)], s.scores[static_cast<std::size_t>(c)]);
  }
  return x;
}

}  // namespace

void pick_examples(Evaluation& e) {
  const auto wanted = static_cast<std::size_t>(std::max(0, e.options.examples));
  std::vector<double> worth(e.samples.size());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < e.samples.size(); ++i) {
    worth[i] = quality(e.samples[i]);
    if (!e.samples[i].labels.empty()) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
  std::map<int, int> shown;
  for (const std::size_t i : order) {
    if (worth[i] <= 0.0 || e.best.size() == wanted) break;
    if (++shown[e.samples[i].labels.front()] <= kBestPerHashtag) e.best.push_back(example(e, i, worth[i]));
  }
  for (auto i = order.rbegin(); i != order.rend() && worth[*i] <= 0.0 && e.worst.size() < wanted; ++i) {
    e.worst.push_back(example(e, *i, worth[*i]));
  }
}

void illustrate(std::vector<Example>& examples, const std::unordered_map<std::string, const dataset::Item*>& items,
                store::Store& store, const media::Limits& limits) {
  for (Example& x : examples) {
    const dataset::Item& item = *items.at(x.video);
    x.caption = item.caption;
    // The blob may have been removed since scoring; the report then lacks this picture.
    if (auto jpeg = dataset::thumbnail(item, store, limits)) x.jpeg = std::move(*jpeg);
  }
}

}  // namespace reeltag::evaluate

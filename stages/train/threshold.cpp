#include "threshold.hpp"

#include <algorithm>
#include <utility>

namespace reeltag::train {
namespace {

constexpr int kMinHits = 3;  // fewer say nothing about a rate

double threshold_of(std::vector<std::pair<float, bool>> ranked, double precision, double fallback) {
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  double threshold = fallback;
  int hits = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    hits += ranked[i].second ? 1 : 0;
    const bool last_of_equals = i + 1 == ranked.size() || ranked[i + 1].first < ranked[i].first;
    if (last_of_equals && hits >= kMinHits && hits >= precision * static_cast<double>(i + 1))
      threshold = ranked[i].first;
  }
  return std::clamp(threshold, 0.0, 1.0);
}

}  // namespace

std::vector<double> thresholds_for_precision(const std::vector<std::vector<float>>& scores,
                                             const std::vector<std::vector<int>>& labels, std::size_t classes,
                                             double precision, double fallback) {
  std::vector<double> out;
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<std::pair<float, bool>> ranked;
    for (std::size_t v = 0; v < scores.size(); ++v) {
      ranked.emplace_back(scores[v][c], std::binary_search(labels[v].begin(), labels[v].end(), static_cast<int>(c)));
    }
    out.push_back(threshold_of(std::move(ranked), precision, fallback));
  }
  return out;
}

}  // namespace reeltag::train

// Chooses the score from which on a class is shown.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <torch/torch.h>

#include "checks.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/model/calibration.hpp"

namespace reeltag::model {
namespace {

using Ranked = std::vector<std::pair<float, bool>>;  // score, and whether the row has the class

constexpr int kMinHits = 3;              // fewer do not support an estimate
constexpr double kStandardErrors = 1.0;  // one-sided confidence of 84 %

// Lower bound of the score interval of a share. Source: Wilson 1927, Probable inference.
double wilson_lower(double hits, double rows) {
  const double z2 = kStandardErrors * kStandardErrors, share = hits / rows;
  const double spread = kStandardErrors * std::sqrt((share * (1.0 - share) + z2 / (4.0 * rows)) / rows);
  return (share + z2 / (2.0 * rows) - spread) / (1.0 + z2 / rows);
}

double threshold_of(Ranked ranked, double precision) {
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  constexpr float kAbove = std::numeric_limits<float>::infinity();
  const auto promises = [&](std::size_t i) { return i < ranked.size() && ranked[i].first >= precision; };
  double vouched = kAbove;
  double believed = promises(0) ? std::nextafter(ranked[0].first, kAbove) : precision;
  double hits = 0.0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    hits += ranked[i].second ? 1.0 : 0.0;
    if (i + 1 < ranked.size() && ranked[i + 1].first == ranked[i].first) continue;  // ties are shown together
    const double rows = static_cast<double>(i + 1), score = ranked[i].first;
    if (hits >= kMinHits && wilson_lower(hits, rows) >= precision) vouched = score;
    if (promises(i) && hits >= precision * rows) believed = promises(i + 1) ? score : precision;
  }
  return std::clamp(std::min(vouched, believed), 0.0, 1.0);
}

void check_precision(double precision) {
  if (!(precision >= 0.0 && precision <= 1.0))
    throw Exception(Code::invalid_argument, "a precision lies between 0 and 1, not " + std::to_string(precision));
}

}  // namespace

std::vector<double> thresholds_for_precision(const std::vector<std::vector<float>>& scores,
                                             const std::vector<std::vector<int>>& labels, std::size_t classes,
                                             double precision) {
  check_precision(precision);
  std::vector<double> out;
  for (std::size_t c = 0; c < classes; ++c) {
    Ranked ranked;
    for (std::size_t v = 0; v < scores.size(); ++v) {
      if (std::isnan(scores[v][c])) throw Exception(Code::invalid_argument, "thresholds: a score is not a number");
      ranked.emplace_back(scores[v][c], std::binary_search(labels[v].begin(), labels[v].end(), static_cast<int>(c)));
    }
    out.push_back(threshold_of(std::move(ranked), precision));
  }
  return out;
}

std::vector<double> thresholds_for_precision(const at::Tensor& scores, const Labels& labels, double precision) {
  check_precision(precision);
  const at::Tensor x = checked_matrix(scores, "scores").to(torch::kFloat);  // [N,K]
  if (x.sizes() != labels.hot.sizes()) throw Exception(Code::invalid_argument, "thresholds: scores and labels differ");
  const auto score = x.accessor<float, 2>();
  const auto hot = labels.hot.accessor<double, 2>();
  std::vector<double> out;
  for (std::int64_t k = 0; k < x.size(1); ++k) {
    Ranked ranked;
    for (std::int64_t n = 0; n < x.size(0); ++n) ranked.emplace_back(score[n][k], hot[n][k] > 0.5);
    out.push_back(threshold_of(std::move(ranked), precision));
  }
  return out;
}

}  // namespace reeltag::model

#include "curves.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "metrics.hpp"

namespace reeltag::evaluate {
namespace {

constexpr double kStep = 1.0 / 199.0;  // of recall, between two points of the curve

// Counts false and true entries by score. The bits of a float in [0,1] sort like its value, so their upper 21 are bins
// of a 4096th of the score: millions of entries need no sorting, and small scores keep their order.
class ScoreCounts {
 public:
  ScoreCounts() : bins_(bin(1.0F) + 1) {}
  void add(float score, bool truth) { ++bins_[bin(std::clamp(score, 0.0F, 1.0F))][truth ? 1 : 0]; }

  [[nodiscard]] std::vector<CurvePoint> precision_recall() const {
    double positives = 0.0;
    for (const auto& b : bins_) positives += static_cast<double>(b[1]);
    std::vector<CurvePoint> points;
    if (positives == 0.0) return points;
    double hits = 0.0, named = 0.0;
    for (std::size_t i = bins_.size(); i-- > 0;) {
      const auto& b = bins_[i];
      if (b[0] + b[1] == 0) continue;
      hits += static_cast<double>(b[1]);
      named += static_cast<double>(b[0] + b[1]);
      const double recall = hits / positives;
      const bool first = points.empty(), last = hits == positives;
      if (!first && !last && recall < points.back().recall + kStep) continue;
      points.push_back(
          {recall, hits / named, static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(i) << kShift))});
      if (last) break;
    }
    return points;
  }

 private:
  static constexpr int kShift = 11;
  static std::size_t bin(float score) { return std::bit_cast<std::uint32_t>(score + 0.0F) >> kShift; }

  std::vector<std::array<std::int64_t, 2>> bins_;
};

template <std::size_t N>
std::size_t part(float score) {
  return static_cast<std::size_t>(std::clamp(static_cast<int>(score * N), 0, static_cast<int>(N) - 1));
}

}  // namespace

Curves draw_curves(std::span<const Sample> samples, std::size_t classes, dataset::LabelMode mode) {
  check_samples(samples, classes);
  Curves curves;
  ScoreCounts counts;
  const auto rely = [&](float score, bool truth) {
    ReliabilityBin& bin = curves.reliability[part<10>(score)];
    bin.score += static_cast<double>(score);
    bin.share += truth ? 1.0 : 0.0;
    ++bin.count;
  };
  for (const Sample& s : samples) {
    for (std::size_t c = 0; c < classes; ++c) {
      const bool truth = std::binary_search(s.labels.begin(), s.labels.end(), static_cast<int>(c));
      counts.add(s.scores[c], truth);
      ++(truth ? curves.true_scores : curves.false_scores)[part<20>(s.scores[c])];
      if (mode == dataset::LabelMode::multi) rely(s.scores[c], truth);
    }
    if (mode == dataset::LabelMode::single && !s.labels.empty()) {
      const int best = ranking(s.scores, 1).front();
      rely(s.scores[static_cast<std::size_t>(best)], s.labels.front() == best);
    }
  }
  curves.precision_recall = counts.precision_recall();
  double error = 0.0, all = 0.0;
  for (ReliabilityBin& bin : curves.reliability) {
    if (bin.count == 0) continue;
    const auto n = static_cast<double>(bin.count);
    error += std::abs(bin.share - bin.score);
    all += n;
    bin.score /= n;
    bin.share /= n;
  }
  curves.calibration_error = all > 0.0 ? error / all : 0.0;
  return curves;
}

}  // namespace reeltag::evaluate

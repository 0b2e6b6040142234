#include "scoring.hpp"

#include <torch/torch.h>

namespace reeltag::train {
namespace {

using torch::Tensor;

std::vector<double> to_vector(const Tensor& t) {
  const Tensor values = t.to(torch::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace

model::Scoring fit_scoring(const Tensor& logits, const model::Labels& labels, double precision) {
  const auto calibration = model::fit_calibration(logits, labels);
  const Tensor scores = model::probabilities(labels.kind, model::calibrated(logits, calibration));
  return {.scale = to_vector(calibration.scale),
          .shift = to_vector(calibration.shift),
          .thresholds = model::thresholds_for_precision(scores, labels, precision)};
}

model::Scoring fit_scoring(const std::vector<std::vector<float>>& scores, const std::vector<std::vector<int>>& labels,
                           std::size_t classes, bool multi_label, double precision) {
  const bool nothing = scores.empty() || (!multi_label && classes < 2);
  if (nothing) return {.scale = {}, .shift = {}, .thresholds = std::vector<double>(classes, precision)};
  const auto videos = static_cast<std::int64_t>(scores.size()), width = static_cast<std::int64_t>(classes);
  Tensor p = torch::empty({videos, width}, torch::kDouble), hot = torch::zeros({videos, width}, torch::kDouble);
  for (std::int64_t v = 0; v < videos; ++v) {
    const auto i = static_cast<std::size_t>(v);
    p[v] = torch::tensor(scores[i]).to(torch::kDouble);
    for (const int c : labels[i]) hot[v][c] = 1.0;
  }
  // Recovers logits from the scores; for softmax up to a constant, which has no effect.
  constexpr double kMin = 1e-6;
  const Tensor logits = multi_label ? torch::logit(p, kMin) : p.clamp_min(kMin).log();
  return fit_scoring(logits, multi_label ? model::tag_labels(hot) : model::class_labels(hot.argmax(1), width),
                     precision);
}

Tensor scores_of(const model::Scoring& scoring, const Tensor& logits, model::HeadKind kind) {
  const model::Calibration calibration{.kind = kind,
                                       .scale = torch::tensor(scoring.scale, torch::kDouble),
                                       .shift = torch::tensor(scoring.shift, torch::kDouble)};
  return model::probabilities(kind, model::calibrated(logits, calibration));
}

model::Scoring rows_of(const model::Scoring& all, const std::vector<std::int64_t>& classes) {
  model::Scoring out;
  for (const auto c : classes) {
    const auto i = static_cast<std::size_t>(c);
    if (!all.scale.empty()) {
      out.scale.push_back(all.scale[i]);
      out.shift.push_back(all.shift[i]);
    }
    out.thresholds.push_back(all.thresholds[i]);
  }
  return out;
}

}  // namespace reeltag::train

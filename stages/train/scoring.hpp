// How a model's logits become scores that mean what they say, learnt from videos that it has not seen.
#pragma once

#include <cstdint>
#include <vector>

#include "reeltag/model/bundle.hpp"
#include "reeltag/model/calibration.hpp"

namespace reeltag::train {

// Calibration and thresholds from held-out logits [N,K].
model::Scoring fit_scoring(const at::Tensor& logits, const model::Labels& labels, double precision);

// The same from the scores of a net as it was trained, [video][class] in [0,1]; labels: ascending classes. Without a
// video nothing is calibrated and each threshold is the precision itself.
model::Scoring fit_scoring(const std::vector<std::vector<float>>& scores, const std::vector<std::vector<int>>& labels,
                           std::size_t classes, bool multi_label, double precision);

// Scores float64 [N,K] in [0,1] of logits [N,K].
at::Tensor scores_of(const model::Scoring& scoring, const at::Tensor& logits, model::HeadKind kind);

// What concerns these classes, in their order.
model::Scoring rows_of(const model::Scoring& all, const std::vector<std::int64_t>& classes);

}  // namespace reeltag::train

// Fits a bundle's scoring, i.e. calibration and thresholds, on videos that the model was not trained on. Private.
// Functions, any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "reeltag/model/bundle.hpp"
#include "reeltag/model/calibration.hpp"

namespace reeltag::train {

// Fits calibration and thresholds to held-out logits [N,K].
model::Scoring fit_scoring(const at::Tensor& logits, const model::Labels& labels, double precision);

// The same for scores of the trained net, [video][class] in [0,1]; labels: ascending classes. Without videos there is
// no calibration and each threshold is the precision.
model::Scoring fit_scoring(const std::vector<std::vector<float>>& scores, const std::vector<std::vector<int>>& labels,
                           std::size_t classes, bool multi_label, double precision);

// Returns scores float64 [N,K] in [0,1] for logits [N,K].
at::Tensor scores_of(const model::Scoring& scoring, const at::Tensor& logits, model::HeadKind kind);

// The scoring of these classes, in their order.
model::Scoring rows_of(const model::Scoring& all, const std::vector<std::int64_t>& classes);

}  // namespace reeltag::train

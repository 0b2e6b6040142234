// From a head's logits to scores that mean what they say, and from scores to what is worth showing.
// Both are fitted on held-out rows: of videos that the head did not see, best by cross_fit_logits.
// Values and free functions; any thread. Shapes or values that cannot be throw Exception(invalid_argument).
//
//   const at::Tensor held_out = model::cross_fit_logits(features, labels, groups, chosen.c);
//   const auto calibration = model::fit_calibration(held_out, labels);
//   const auto scores = model::probabilities(labels.kind, model::calibrated(held_out, calibration));
//   const auto thresholds = model::thresholds_for_precision(scores, labels, 0.7);
//   const auto head = model::calibrated(chosen.head, calibration);  // its logits are calibrated
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/linear.hpp"

namespace reeltag::model {

// sigmoid(scale_k * logit + shift_k) with per_tag, softmax(scale * logit + shift_k) with softmax. The scale is above 0:
// a tag's ranking never changes.
struct Calibration {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor scale, shift;  // float64 [K]; softmax: one scale for all
};

// Rows with a tag that the prior weighs as much as. The figures behind it: docs/adr/0057.
inline constexpr double kPriorPositives = 25.0;

// Platt scaling with his smoothed targets (Platt 1999, Probabilistic outputs for support vector machines, section 2.2):
// (N+ + 1)/(N+ + 2) for rows with the tag, 1/(N- + 2) for the others. First one scale and shift for all tags together,
// then each tag's own, held to the common ones by a normal prior in the log scale and the shift in the middle of the
// tag's rows, whose precision is prior_positives times the information of one row with a tag (on average over all tags
// or over this one's rows, whichever is more). A tag with n such rows goes about n/(n + prior_positives) of the way to
// its own fit: with 4 of them it nearly keeps the common one.
// softmax: a temperature (Guo et al. 2017, arXiv 1706.04599), then a shift for each class held to 0 in the same way.
Calibration fit_calibration(const at::Tensor& logits, const Labels& labels, double prior_positives = kPriorPositives);

at::Tensor calibrated(const at::Tensor& logits, const Calibration& calibration);  // [N,K] -> float64 [N,K], logits
LinearHead calibrated(const LinearHead& head, const Calibration& calibration);    // the same, folded into the weights

// For each class the score, of float32 scores, from which on it is worth showing: the lower of
//  - the lowest held-out score such that, of the rows that score as much or more, at least three have the class and
//    the lower bound of their share is at least `precision`. The bound is Wilson's (1927) at one standard error: the
//    lowest of many noisy shares is a lucky one, and on drawn tags with 100 and 500 rows a plain share missed the
//    precision by 0.03 to 0.18, this one by 0.02 at most;
//  - `precision` itself, because a calibrated score needs no further witness; raised until the held-out rows no longer
//    speak against it (no row, or a share of at least `precision`, at or above).
// So a class that held-out rows cannot vouch for stays silent unless its score alone promises the precision.
// scores [video][class]; labels: the ascending classes of each video.
std::vector<double> thresholds_for_precision(const std::vector<std::vector<float>>& scores,
                                             const std::vector<std::vector<int>>& labels, std::size_t classes,
                                             double precision);
// The same from tensors: scores [N,K].
std::vector<double> thresholds_for_precision(const at::Tensor& scores, const Labels& labels, double precision);

}  // namespace reeltag::model

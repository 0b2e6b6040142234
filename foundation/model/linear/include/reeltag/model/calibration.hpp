// Calibrates a head's logits so that scores are probabilities, and chooses per-class score thresholds. Both are fitted
// on held-out rows: videos that the head was not trained on, best from cross_fit_logits.
// Values and free functions, any thread. Invalid shapes or values throw Exception(invalid_argument).
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

// sigmoid(scale_k * logit + shift_k) with per_tag, softmax(scale * logit + shift_k) with softmax. The scale is
// positive, so calibration never changes a tag's ranking.
struct Calibration {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor scale, shift;  // float64 [K]; softmax: one scale for all
};

// Weight of the prior, in rows that have the tag. Derivation: docs/adr/0057.
inline constexpr double kPriorPositives = 25.0;

// Platt scaling with smoothed targets (Platt 1999, Probabilistic outputs for support vector machines, section 2.2):
// (N+ + 1)/(N+ + 2) for rows with the tag, 1/(N- + 2) for the others. First fits one scale and shift for all tags
// together, then each tag's own, regularised towards the common ones by a normal prior on the log scale and on the
// shift at the middle of the tag's rows. The prior's precision is prior_positives times the information of one row with
// a tag (the average over all tags or over this tag's rows, whichever is larger). A tag with n such rows moves about
// the fraction n/(n + prior_positives) of the way to its own fit: with 4 rows it nearly keeps the common one.
// softmax: a temperature (Guo et al. 2017, arXiv 1706.04599), then a shift per class regularised towards 0 in the same
// way.
Calibration fit_calibration(const at::Tensor& logits, const Labels& labels, double prior_positives = kPriorPositives);

at::Tensor calibrated(const at::Tensor& logits, const Calibration& calibration);  // [N,K] -> float64 logits [N,K]
LinearHead calibrated(const LinearHead& head, const Calibration& calibration);    // the same, folded into the weights

// For each class, the score (of float32 scores) from which on it is shown: the lower of
//   - the lowest held-out score such that, of the rows with at least this score, at least three have the class and the
//     lower confidence bound of their share is at least `precision`. The bound is Wilson's (1927) at one standard
//     error: the minimum over many noisy shares is biased upwards. On simulated tags with 100 and 500 rows a plain
//     share missed the precision by 0.03 to 0.18, this bound by at most 0.02;
//   - `precision` itself, since a calibrated score needs no further evidence; raised until the held-out rows do not
//     contradict it (no row at or above, or a share of at least `precision`).
// A class without held-out evidence is therefore shown only if its score alone reaches the precision.
// scores [video][class]; labels: the ascending classes of each video.
std::vector<double> thresholds_for_precision(const std::vector<std::vector<float>>& scores,
                                             const std::vector<std::vector<int>>& labels, std::size_t classes,
                                             double precision);
// The same for tensors: scores [N,K].
std::vector<double> thresholds_for_precision(const at::Tensor& scores, const Labels& labels, double precision);

}  // namespace reeltag::model

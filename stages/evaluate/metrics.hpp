// The figures of an evaluation from scores and labels. No input or output, no torch; functions, any thread.
// Throws Exception(invalid_argument) when a sample has another number of scores than there are classes, a label that is
// no class, or a score that is no number.
//
//   const Metrics m = measure(samples, thresholds, LabelMode::multi, 1000);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// thresholds: one per class. resamples: of the groups, with replacement, from a fixed seed; 0 gives intervals of no
// width. Large inputs get fewer (Metrics::resamples says how many), at least 100.
Metrics measure(std::span<const Sample> samples, std::span<const double> thresholds, dataset::LabelMode mode,
                int resamples);

// Indices of the scores, best first; equal scores in their order.
std::vector<int> ranking(std::span<const float> scores, std::size_t top);

// Throws as said above.
void check_samples(std::span<const Sample> samples, std::size_t classes);

}  // namespace reeltag::evaluate

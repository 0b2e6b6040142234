// What the figures of an evaluation are made from; measure() itself is public. No input or output, no torch; functions,
// any thread. Throws Exception(invalid_argument) when a sample has another number of scores than there are classes, a
// label that is no class, or a score that is no number.
//
//   const auto best = ranking(sample.scores, 5);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// Indices of the scores, best first; equal scores in their order.
std::vector<int> ranking(std::span<const float> scores, std::size_t top);

// Throws as said above.
void check_samples(std::span<const Sample> samples, std::size_t classes);

}  // namespace reeltag::evaluate

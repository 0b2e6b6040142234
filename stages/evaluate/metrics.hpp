// Helpers behind the public measure(). Private. No I/O, no libtorch; functions, any thread. Throws
// Exception(invalid_argument) if a sample's number of scores differs from the number of classes, a label is out of
// range, or a score is NaN.
//
//   const auto best = ranking(sample.scores, 5);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// Indices of the best scores, descending; ties in index order.
std::vector<int> ranking(std::span<const float> scores, std::size_t top);

// Throws as described above.
void check_samples(std::span<const Sample> samples, std::size_t classes);

}  // namespace reeltag::evaluate

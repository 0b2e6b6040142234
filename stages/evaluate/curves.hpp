// Computes the data of a report's plots from scores and labels. Private. No I/O; functions, any thread. Throws
// Exception(invalid_argument) for samples that measure() would reject.
#pragma once

#include <span>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

Curves draw_curves(std::span<const Sample> samples, std::size_t classes, dataset::LabelMode mode);

}  // namespace reeltag::evaluate

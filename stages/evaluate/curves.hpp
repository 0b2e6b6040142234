// What the plots of a report show, from scores and labels. No input or output; functions, any thread.
// Throws Exception(invalid_argument) for samples that measure() would refuse.
#pragma once

#include <span>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

Curves draw_curves(std::span<const Sample> samples, std::size_t classes, dataset::LabelMode mode);

}  // namespace reeltag::evaluate

// Which hashtags a model ships with.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "reeltag/dataset.hpp"

namespace reeltag::train {

// The indices of all classes, or, with min_lift above 0, of those whose average precision on groups that training did
// not see is at least that many times their prior; lift() gives that figure, one a class. What does not ship is logged.
// Throws invalid_config when nothing is left.
std::vector<std::int64_t> select_classes(const dataset::Dataset& set, double min_lift,
                                         const std::function<std::vector<double>()>& lift);

}  // namespace reeltag::train

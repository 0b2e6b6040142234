// Selects the hashtags that a trained model's bundle contains. Private. A function, any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "reeltag/dataset.hpp"

namespace reeltag::train {

// Returns the indices of all classes, or, with min_lift above 0, of those whose average precision on groups that
// training did not see is at least min_lift times their prior. lift() returns that ratio per class. Logs the classes
// that are left out. Throws invalid_config if none is left.
std::vector<std::int64_t> select_classes(const dataset::Dataset& set, double min_lift,
                                         const std::function<std::vector<double>()>& lift);

}  // namespace reeltag::train

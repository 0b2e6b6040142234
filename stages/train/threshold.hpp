// Where a hashtag's score begins to be worth showing.
#pragma once

#include <vector>

namespace reeltag::train {

// For each class the lowest score at which at least `precision` of the videos that score as much or more carry the
// class, at least three of them; a class without such a score keeps `fallback`.
// scores [video][class]; labels: the ascending classes of each video.
std::vector<double> thresholds_for_precision(const std::vector<std::vector<float>>& scores,
                                             const std::vector<std::vector<int>>& labels, std::size_t classes,
                                             double precision, double fallback);

}  // namespace reeltag::train

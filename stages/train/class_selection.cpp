#include "class_selection.hpp"

#include "reeltag/base/log.hpp"

namespace reeltag::train {

std::vector<std::int64_t> select_classes(const dataset::Dataset& set, double min_lift,
                                         const std::function<std::vector<double>()>& lift) {
  const std::vector<double> lifts = min_lift > 0 ? lift() : std::vector<double>{};
  std::vector<std::int64_t> kept;
  for (std::size_t c = 0; c < set.vocabulary.size(); ++c) {
    if (lifts.empty() || lifts[c] >= min_lift) {
      kept.push_back(static_cast<std::int64_t>(c));
    } else {
      log::info("hashtag_not_shipped", {{"hashtag", set.vocabulary[c]}, {"lift", lifts[c]}});
    }
  }
  if (kept.empty()) {
    throw Exception(Code::invalid_config,
                    "no hashtag reaches train.min_lift on unseen groups; train longer, with more videos, or lower it");
  }
  return kept;
}

}  // namespace reeltag::train

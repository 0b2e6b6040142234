// From a prediction over views to hashtags. Private to the tagger; pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reeltag/model/bundle.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::tag {

// The views of a video that a model looks at. Where it looks at the video as a whole that view comes first and gives
// the score, as in evaluation; else the score is the mean over the views.
struct Plan {
  double duration = 0.0;
  std::vector<model::View> views;
  bool whole = false;    // the first view is the whole video
  bool partial = false;  // fewer than the configuration asks for
};
// most: views at most, the whole one included; at least 1.
Plan plan_views(const model::Extractor& extractor, const TagConfig& config, double duration, std::int64_t most);

struct Choice {
  int top = 10;
  std::optional<double> threshold = {};  // in place of the model's own
};
TagResult choose_tags(const model::Bundle& bundle, const Plan& plan, const model::Prediction& prediction,
                      const Choice& choice);

}  // namespace reeltag::tag

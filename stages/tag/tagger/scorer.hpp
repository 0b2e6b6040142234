// Chooses a video's views, and hashtags from a prediction over them. Private to the tagger. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reeltag/model/bundle.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::tag {

// The views of a video that are scored. If the model reads the video as a whole, that view is first and gives the
// score, as in evaluation; otherwise the score is the mean over the views.
struct Plan {
  double duration = 0.0;
  std::vector<model::View> views;
  bool whole = false;    // the first view spans the video
  bool partial = false;  // fewer views than the configuration asks for
};
// most: maximum number of views, including the whole one; at least 1.
Plan plan_views(const model::Extractor& extractor, const TagConfig& config, double duration, std::int64_t most);

struct Choice {
  int top = 10;
  std::optional<double> threshold = {};  // replaces the model's thresholds
};
TagResult choose_tags(const model::Bundle& bundle, const Plan& plan, const model::Prediction& prediction,
                      const Choice& choice);

}  // namespace reeltag::tag

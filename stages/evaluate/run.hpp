// The evaluation loop, with the model behind functions so that tests can replace it. Private. Threads, ownership and
// failure as in reeltag/evaluate.hpp.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "prefetch.hpp"
#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

using Orders = std::span<const model::TimeOrder>;

struct Model {
  model::Bundle bundle;
  ChooseFrames choose_frames;
  // Same contract as model::Predictor::predict; called on one thread.
  std::function<Result<std::vector<model::Prediction>>(const dataset::Item& item, const DecodedVideo& video,
                                                       Orders orders)>
      predict;
  // The same without the video, from stored features; nothing if they are not all there. Unset: none are.
  std::function<std::optional<std::vector<model::Prediction>>(const dataset::Item& item, Orders orders)> stored = {};
  // Called once all videos are scored: the scores from one frame alone of each of these, where repeating the frame is
  // not that to the model. Unset, or empty: the repeated frame is.
  std::function<std::vector<model::Prediction>(const std::vector<std::string>& videos)> one_frame = {};
};

Evaluation run(const dataset::Dataset& set, dataset::Split split, const Model& model, store::Store& store,
               const EvaluateOptions& options, const OnProgress& progress);

}  // namespace reeltag::evaluate

// The evaluation loop, with the model behind functions so that tests can replace it. Private. Threads, ownership and
// failure as in reeltag/evaluate.hpp.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "prefetch.hpp"
#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

struct Model {
  model::Bundle bundle;
  ChooseFrames choose_frames;
  // Same contract as model::Predictor::predict; called on one thread.
  std::function<Result<std::vector<model::Prediction>>(const DecodedVideo& video,
                                                       std::span<const model::TimeOrder> orders)>
      predict;
};

Evaluation run(const dataset::Dataset& set, dataset::Split split, const Model& model, store::Store& store,
               const EvaluateOptions& options, const OnProgress& progress);

}  // namespace reeltag::evaluate

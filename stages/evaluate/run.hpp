// The evaluation itself, with the network behind a function, so that it can be tried without one.
// Threads, ownership and failure as in reeltag/evaluate.hpp.
#pragma once

#include <functional>
#include <vector>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// What model::Predictor::predict does; called on one thread.
using Predict = std::function<Result<model::Prediction>(media::Decoder& video, const std::vector<model::View>& views)>;

Evaluation run(const dataset::Dataset& set, dataset::Split split, const model::Bundle& bundle, const Predict& predict,
               store::Store& store, const EvaluateOptions& options, const OnProgress& progress);

}  // namespace reeltag::evaluate

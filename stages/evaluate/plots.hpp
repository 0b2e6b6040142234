// Renders a report's plots, each as an HTML figure; empty if there is no data. Private. Functions, any thread; nothing
// here fails.
#pragma once

#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "training_log.hpp"

namespace reeltag::evaluate {

std::string plot_classes(const Evaluation& evaluation);    // one or two columns of bars
std::string plot_confusion(const Evaluation& evaluation);  // heat map of up to 60 classes, and the commonest mistakes
std::string plot_precision_recall(const Evaluation& evaluation);
std::string plot_scores(const Evaluation& evaluation);
std::string plot_reliability(const Evaluation& evaluation);
std::string plot_training(const std::vector<Epoch>& epochs);  // loss, accuracy, learning rate

}  // namespace reeltag::evaluate

// Writes the evaluation report as one self-contained HTML file (docs/adr/0060-report-is-one-html-file.md). Private.
// Functions, any thread; nothing here fails.
#pragma once

#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "training_log.hpp"

namespace reeltag::evaluate {

std::string to_html(const Evaluation& evaluation, const std::vector<Epoch>& epochs);

// The content of metrics.json: everything but the samples' scores, indented.
std::string to_metrics_json(const Evaluation& evaluation);

}  // namespace reeltag::evaluate

// The report for people: one HTML file that needs nothing else (docs/adr/0060-report-is-one-html-file.md).
// Functions, any thread; nothing here fails.
#pragma once

#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "training_log.hpp"

namespace reeltag::evaluate {

std::string to_html(const Evaluation& evaluation, const std::vector<Epoch>& epochs);

// Everything but the samples' scores, indented: the content of metrics.json.
std::string to_metrics_json(const Evaluation& evaluation);

}  // namespace reeltag::evaluate

// Formatting shared by the terminal table and the HTML report. Private. Functions, any thread; nothing here fails.
#pragma once

#include <string>
#include <vector>

#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {

// A net as one table row. The pointers are into the Answer and valid as long as it.
struct Row {
  const Net* net = nullptr;
  const Front* front = nullptr;  // of this result; null for a net of unknown accuracy
  const Point* point = nullptr;
  bool on_front = false, pick = false;
};

// One row per result: front by front from fast to slow, then the nets without a result.
std::vector<Row> rows(const Answer& answer);

// "81.0 %"; "-" if unknown.
std::string accuracy_text(const Row& row);
// The conditions of that figure: "kinetics, 1x5 views", "652f558c6a203657 (val), run a1".
std::string accuracy_of(const Row& row);

// "~1,234" if the figure is an estimate, "-" if there is none.
std::string estimated(const Net& net, const std::string& figure);

// The machine, number of views and limits of the answer.
std::string conditions(const Answer& answer);

inline constexpr const char* kFront = "on the front: no net is both faster and more accurate on the same training set";
inline constexpr const char* kEstimate = "an estimate; --all measures it";
inline constexpr const char* kViews =
    "published accuracy holds for the views beside it; a view of an ImageNet net is one picture";

}  // namespace reeltag::model_selection

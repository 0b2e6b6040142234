// What the table of a terminal and that of the report have in common. Functions, any thread; nothing here fails.
#pragma once

#include <string>
#include <vector>

#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {

// A net as one line of a table. Pointers live as long as the answer.
struct Row {
  const Net* net = nullptr;
  const Front* front = nullptr;  // of this result; nothing for a net of unknown accuracy
  const Point* point = nullptr;
  bool on_front = false, pick = false;
};

// One row a result: front by front from fast to slow, then the nets without any.
std::vector<Row> rows(const Answer& answer);

// "81.0 %"; "-" where nothing is known.
std::string accuracy_text(const Row& row);
// What that figure holds for: "kinetics, 1x5 views", "652f558c6a203657 (val), run a1".
std::string accuracy_of(const Row& row);

// "~1,234" where the figure is an estimate, "-" where there is none.
std::string estimated(const Net& net, const std::string& figure);

// On what machine, of how many views and within which limits.
std::string conditions(const Answer& answer);

inline constexpr const char* kFront = "on the front: no net is both faster and more accurate on the same training set";
inline constexpr const char* kEstimate = "an estimate; --all measures it";
inline constexpr const char* kViews =
    "published accuracy holds for the views beside it; a view of an ImageNet net is one picture";

}  // namespace reeltag::model_selection

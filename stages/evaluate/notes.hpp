// Says in words what the figures of an evaluation hide. Private. A pure function, any thread.
//
//   e.notes = notes_on(e, bundle);
#pragma once

#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// A sentence if one frame alone scores within the model's own interval, so that it may have learned the place and not
// the action; and one if the model's features are the same for frames in another order. Reads metrics, time and
// label_mode.
std::vector<std::string> notes_on(const Evaluation& e, const model::Bundle& bundle);

}  // namespace reeltag::evaluate

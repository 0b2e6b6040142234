// Validates rows before any index stores them, whatever the database. Private. Pure functions, any thread.
#pragma once

#include "reeltag/index.hpp"

namespace reeltag::index {

// Throw invalid_argument, naming the video and the field.
void check(const Texts& texts);
void check(const Prediction& prediction);

}  // namespace reeltag::index

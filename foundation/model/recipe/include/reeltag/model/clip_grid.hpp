// The grids of tokens that clips of any size have in a net. Functions, any thread; nothing fails.
// Source: slowfast/models/stem_helper.py and attention.py@287ec007: convolutions and poolings round down.
//
//   if (!model::fits(plan, {16, 224, 224})) ...
#pragma once

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// The stem's output grid for a clip of [frames,height,width] (an image: 1 frame); axes below 1 if the clip is too
// small.
Triple stem_grid(const MvitOptions& options, const Triple& clip);
// Whether the stem gives tokens and every block's skip path pools to its query's grid.
bool fits(const Plan& plan, const Triple& clip);

}  // namespace reeltag::model

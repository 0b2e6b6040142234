// Learned positions at another size than the trained one. Private. Functions on values, any thread.
// Source: slowfast/models/video_model_builder.py and attention.py@287ec007; torch.nn.functional.interpolate's
// half-pixel sampling.
#pragma once

#include "reeltag/model/plan.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// The table [1,N(+1),C] of absolute positions on a grid; the first row is the class token's if the net has one.
// An empty array: the net has none.
Array absolute_positions(const Plan& plan, const Weights& weights, const Triple& grid);

// The rows of a table [R,d] of relative positions for q query and k key positions of an axis: [q,k,d], as [q*k*d].
std::vector<float> relative_rows(const Array& table, int q, int k);

// For each key of a grid, in order, ones at its place among the rows, columns and frames: [Nk, e].
Array key_places(const Triple& grid, bool spatial, bool temporal);

}  // namespace reeltag::model

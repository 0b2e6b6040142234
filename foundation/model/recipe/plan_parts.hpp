// The parts of make_plan. Private; model/plan.hpp is what others see.
#pragma once

#include <string>
#include <vector>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

[[noreturn]] inline void bad(const std::string& message) { throw Exception(Code::invalid_config, message); }

inline double product(const Triple& t) { return static_cast<double>(t[0]) * t[1] * t[2]; }

// Widths, heads, grids and pooling of every block over the patch grid.
std::vector<BlockPlan> plan_blocks(const Recipe& recipe, const Triple& grid);
// How two streams of `width` channels together are merged, from the text of a recipe ("concat_linear_2", "avg" ...).
Fusion plan_fusion(const std::string& text, int width, const char* key);
// Names and shapes in the order of the reference's state dict.
std::vector<ParameterShape> plan_parameters(const Plan& plan);
MultiplyAdds count_multiply_adds(const Plan& plan);

}  // namespace reeltag::model

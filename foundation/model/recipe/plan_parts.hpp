// The steps of make_plan. Private; the public interface is model/plan.hpp. Functions, any thread. Throws Exception
// (invalid_config, unsupported).
#pragma once

#include <string>
#include <vector>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

[[noreturn]] inline void bad(const std::string& message) { throw Exception(Code::invalid_config, message); }

inline double product(const Triple& t) { return static_cast<double>(t[0]) * t[1] * t[2]; }

// Computes widths, heads, grids and pooling of every block over the patch grid.
std::vector<BlockPlan> plan_blocks(const Recipe& recipe, const Triple& grid);
// Parses a recipe's fusion of two streams of `width` channels in total ("concat_linear_2", "avg" ...).
Fusion plan_fusion(const std::string& text, int width, const char* key);
// Lists parameter names and shapes in the order of the reference's state dict.
std::vector<ParameterShape> plan_parameters(const Plan& plan);
MultiplyAdds count_multiply_adds(const Plan& plan);

}  // namespace reeltag::model

#include "reeltag/model/clip_grid.hpp"

#include <algorithm>

namespace reeltag::model {

Triple stem_grid(const MvitOptions& options, const Triple& clip) {
  Triple grid{1, 1, 1};
  const std::size_t axes = options.patch_kernel.size();
  for (std::size_t a = 0; a < axes; ++a) {
    const std::int64_t room = std::int64_t{clip[3 - axes + a]} + 2 * options.patch_padding[a] - options.patch_kernel[a];
    grid[3 - axes + a] = room < 0 ? 0 : static_cast<int>(room / options.patch_stride[a] + 1);
  }
  return grid;
}

bool fits(const Plan& plan, const Triple& clip) {
  Triple grid = stem_grid(plan.recipe.mvit, clip);
  return std::min({grid[0], grid[1], grid[2]}) >= 1 &&
         std::all_of(plan.blocks.begin(), plan.blocks.end(), [&](const BlockPlan& block) {
           const bool same = !block.pool_skip || pooled_grid(grid, block.pool_skip) == pooled_grid(grid, block.pool_q);
           grid = pooled_grid(grid, block.pool_q);
           return same;
         });
}

}  // namespace reeltag::model

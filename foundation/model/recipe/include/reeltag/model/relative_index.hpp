// The row of a table of relative positions for each query and key position of an axis. A function; any thread.
// Source: slowfast/models/attention.py@287ec007, cal_rel_pos_spatial: float32 arithmetic, truncated.
//
//   model::relative_index(2, 4);  // {3, 2, 1, 0, 5, 4, 3, 2}
#pragma once

#include <cstdint>
#include <vector>

namespace reeltag::model {

// [q,k], row by row; indices into a table of 2*max(q,k)-1 rows.
std::vector<std::int64_t> relative_index(int q, int k);

}  // namespace reeltag::model

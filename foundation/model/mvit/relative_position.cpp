#include "relative_position.hpp"

#include <algorithm>
#include <vector>

#include "reeltag/model/relative_index.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

// q_patches [B,n,T,H,W,d], rows [q,k,d] along one axis of the query grid -> [B,n,T,H,W,k].
Tensor product_along(const Tensor& q_patches, const Tensor& rows, std::int64_t axis) {
  // The axis goes first, so that each of its positions is one matrix product with its own rows.
  const Tensor moved = q_patches.movedim(axis, 0);                      // [q,B,n,.,.,d]
  const Tensor flat = moved.reshape({rows.size(0), -1, rows.size(2)});  // [q,M,d]
  const Tensor scores = torch::bmm(flat, rows.transpose(1, 2));         // [q,M,k]
  auto shape = moved.sizes().vec();
  shape.back() = rows.size(1);
  return scores.view(shape).movedim(0, axis);
}

// [Nk, kh+kw+kt]: for each key token ones at its row, column and frame.
Tensor key_positions(const Triple& g, bool spatial, bool temporal, const torch::TensorOptions& options) {
  const auto axis = [&](int a) {
    std::vector<std::int64_t> shape{g[0], g[1], g[2], g[static_cast<std::size_t>(a)]};
    std::vector<std::int64_t> view{1, 1, 1, g[static_cast<std::size_t>(a)]};
    view[static_cast<std::size_t>(a)] = g[static_cast<std::size_t>(a)];
    return torch::eye(g[static_cast<std::size_t>(a)], options).view(view).expand(shape).reshape({-1, shape[3]});
  };
  std::vector<Tensor> parts;
  if (spatial) parts = {axis(1), axis(2)};
  if (temporal) parts.push_back(axis(0));
  return torch::cat(parts, 1);
}

}  // namespace

Tensor relative_rows(const Tensor& table, int q, int k) {
  const std::int64_t rows = 2LL * std::max(q, k) - 1;
  Tensor resampled = table;
  if (table.size(0) != rows) {
    resampled = torch::upsample_linear1d(table.t().unsqueeze(0), {rows}, /*align_corners=*/false).squeeze(0).t();
  }
  const Tensor index = torch::tensor(relative_index(q, k)).to(table.device());
  return resampled.index_select(0, index).view({q, k, table.size(1)});
}

Tensor RelativeTable::rows(int q, int k) const {
  // A comparison on a GPU would force a synchronisation.
  if (torch::GradMode::is_enabled() || !values.is_cpu()) return relative_rows(values, q, k);
  constexpr std::size_t kShapes = 8;
  // Compares content, because fused optimizers change a tensor without incrementing its version.
  if (!kept_of_.defined() || kept_of_.scalar_type() != values.scalar_type() || !kept_of_.equal(values)) {
    kept_of_ = values.detach().clone();
    kept_.clear();
  }
  for (const auto& kept : kept_) {
    if (kept.q == q && kept.k == k) return kept.rows;
  }
  if (kept_.size() == kShapes) kept_.erase(kept_.begin());
  kept_.push_back({q, k, relative_rows(values, q, k)});
  return kept_.back().rows;
}

ExtendedQk extend_with_positions(const Tensor& q, const Tensor& k, double scale, const RelativeTables& tables,
                                 const Triple& grid_q, const Triple& grid_k, bool class_token) {
  const std::int64_t batch = q.size(0), heads = q.size(1), cls = class_token ? 1 : 0;
  const Tensor patches = (class_token ? q.narrow(2, 1, q.size(2) - 1) : q)
                             .reshape({batch, heads, grid_q[0], grid_q[1], grid_q[2], q.size(3)});
  std::vector<Tensor> bias;
  if (tables.h.defined()) {
    bias.push_back(product_along(patches, tables.h.rows(grid_q[1], grid_k[1]), 3));
    bias.push_back(product_along(patches, tables.w.rows(grid_q[2], grid_k[2]), 4));
  }
  if (tables.t.defined()) bias.push_back(product_along(patches, tables.t.rows(grid_q[0], grid_k[0]), 2));
  Tensor query_part = torch::cat(bias, 5).flatten(2, 4);                                         // [B,n,Nq,e]
  Tensor key_part = key_positions(grid_k, tables.h.defined(), tables.t.defined(), q.options());  // [Nk,e]
  if (class_token) {
    query_part = torch::constant_pad_nd(query_part, {0, 0, cls, 0});
    key_part = torch::constant_pad_nd(key_part, {0, 0, cls, 0});
  }
  key_part = key_part.expand({batch, heads, key_part.size(0), key_part.size(1)});
  return {torch::cat({q * scale, query_part}, 3), torch::cat({k, key_part}, 3)};
}

}  // namespace reeltag::model

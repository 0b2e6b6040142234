#include <functional>
#include <numeric>

#include "plan_parts.hpp"

namespace reeltag::model {
namespace {

void add_attention_macs(MultiplyAdds& macs, const MvitOptions& m, const BlockPlan& b, double cls) {
  const double in = product(b.grid_in), q = product(b.grid_q), kv = product(b.grid_kv);
  const double width = b.dim_attention;
  const auto pool = [&](const std::optional<Pooling>& p, double tokens) {
    if (!p || !m.mode.starts_with("conv")) return;
    const double pooled_width = m.pool_first ? b.dim_in : b.dim_attention;
    macs.conv += tokens * pooled_width * product(p->kernel);
    macs.layer_norm += 5 * (tokens + cls) * pooled_width;
  };
  pool(b.pool_q, q);
  pool(b.pool_kv, kv);
  pool(b.pool_kv, kv);
  const double projected = m.pool_first ? (q + cls) + 2 * (kv + cls) : 3 * (in + cls);
  macs.linear += projected * b.dim_in * width;
  macs.matmul += 2 * (q + cls) * (kv + cls) * width;
  if (b.rel_spatial_rows > 0) macs.einsum += q * width * (b.grid_kv[1] + b.grid_kv[2]);
  if (b.rel_temporal_rows > 0) macs.matmul += q * width * b.grid_kv[0];
  macs.linear += (q + cls) * width * width;
}

void add_fusion_macs(MultiplyAdds& macs, const Fusion& fusion, double tokens, double width) {
  if (fusion.layer_norm) macs.layer_norm += 5 * tokens * width;
  macs.linear += 2 * tokens * width * fusion.hidden;
}

void add_block_macs(MultiplyAdds& macs, const MvitOptions& m, const BlockPlan& b, double cls) {
  const double in = product(b.grid_in) + cls, out = product(b.grid_q) + cls;
  macs.layer_norm += 5 * (in * b.dim_in + out * b.dim_attention);
  add_attention_macs(macs, m, b, cls);
  macs.linear += out * b.mlp_hidden * (b.dim_attention + b.dim_out);
  if (b.transition) {
    add_fusion_macs(macs, *b.transition, in, b.dim_in);
    // The skip path is projected, then pooled as the query is; with POOL_FIRST the other way round.
    const double skip_width = m.pool_first ? b.dim_in : b.dim_out;
    if (b.pool_q && m.mode.starts_with("conv")) {
      macs.conv += out * skip_width * product(b.pool_q->kernel);
      macs.layer_norm += 5 * out * skip_width;
    }
    if (b.dim_in != b.dim_out) macs.linear += (m.pool_first ? out : in) * b.dim_in * b.dim_out;
  } else if (b.dim_in != b.dim_out) {
    // The skip path's projection runs before its pooling when attention widens, after it otherwise.
    macs.linear += (m.dim_mul_in_att ? in : out) * b.dim_in * b.dim_out;
  }
}

}  // namespace

MultiplyAdds count_multiply_adds(const Plan& plan) {
  const auto& m = plan.recipe.mvit;
  const double cls = m.cls_embed_on ? 1 : 0;
  MultiplyAdds macs;
  const double patch = std::accumulate(m.patch_kernel.begin(), m.patch_kernel.end(), 1.0, std::multiplies<>());
  macs.conv += product(plan.grid) * m.embed_dim * plan.recipe.data.input_channel_num[0] * patch;
  if (m.norm_stem) macs.layer_norm += 5 * (product(plan.grid) + cls) * m.embed_dim;
  for (const auto& b : plan.blocks) add_block_macs(macs, m, b, cls);
  if (plan.reversible())
    add_fusion_macs(macs, *plan.fusion, product(plan.blocks.back().grid_q), 2.0 * plan.blocks.back().dim_out);
  if (plan.recipe.is_pretraining()) return macs;  // of the trunk: the rest depends on the mask
  const double last = m.use_mean_pooling ? 1 : product(plan.blocks.back().grid_q) + cls;
  macs.layer_norm += 5 * last * plan.dim_out;
  macs.linear += static_cast<double>(plan.dim_out) * plan.recipe.model.num_classes;
  return macs;
}

}  // namespace reeltag::model

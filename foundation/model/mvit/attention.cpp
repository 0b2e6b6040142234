#include "attention.hpp"

#include <cmath>

#include "drawing.hpp"
#include "pooling.hpp"

namespace reeltag::model {

using torch::Tensor;

PoolingAttentionImpl::PoolingAttentionImpl(const BlockPlan& plan, const MvitOptions& options)
    : plan_(plan), options_(options) {
  const int d = plan.head_dim();
  if (plan.rel_spatial_rows > 0) {
    tables_.h.values = register_parameter("rel_pos_h", torch::zeros({plan.rel_spatial_rows, d}));
    tables_.w.values = register_parameter("rel_pos_w", torch::zeros({plan.rel_spatial_rows, d}));
  }
  if (plan.rel_temporal_rows > 0) {
    tables_.t.values = register_parameter("rel_pos_t", torch::zeros({plan.rel_temporal_rows, d}));
  }
  const auto linear = [&](const char* name, int out) {
    return register_module(name, torch::nn::Linear(torch::nn::LinearOptions(plan.dim_in, out).bias(options.qkv_bias)));
  };
  if (options.separate_qkv || options.pool_first) {
    q_ = linear("q", plan.dim_attention);
    k_ = linear("k", plan.dim_attention);
    v_ = linear("v", plan.dim_attention);
  } else {
    qkv_ = linear("qkv", 3 * plan.dim_attention);
  }
  proj_ = register_module("proj", torch::nn::Linear(plan.dim_attention, plan.dim_attention));
  pool_q_ = make_pool("q", plan.pool_q);
  pool_k_ = make_pool("k", plan.pool_kv);
  pool_v_ = make_pool("v", plan.pool_kv);
}

PoolingAttentionImpl::Pool PoolingAttentionImpl::make_pool(const std::string& part,
                                                           const std::optional<Pooling>& pooling) {
  Pool pool;
  if (!pooling || !options_.mode.starts_with("conv")) return pool;
  const int d = plan_.pool_width;
  // A depthwise convolution without bias. Registered as pool_x.weight to keep the published weights' names.
  auto holder = register_module("pool_" + part, std::make_shared<torch::nn::Module>("DepthwiseConv"));
  pool.weight = holder->register_parameter(
      "weight", torch::zeros({d, 1, pooling->kernel[0], pooling->kernel[1], pooling->kernel[2]}));
  pool.norm = register_module("norm_" + part, torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(1e-6)));
  return pool;
}

Tensor PoolingAttentionImpl::pool(const Tensor& tokens, const Pool& pool, const std::optional<Pooling>& pooling,
                                  const Triple& grid) const {
  if (!pooling) return tokens.transpose(1, 2);
  Tensor pooled = pool_tokens(tokens, options_.mode, pool.weight, *pooling, grid, options_.cls_embed_on);
  return pool.norm.is_empty() ? pooled : pool.norm.ptr()->forward(pooled);  // the class token is normed as well
}

std::int64_t PoolingAttentionImpl::groups() const { return options_.mode == "conv_unshared" ? 1 : plan_.heads; }

Tensor PoolingAttentionImpl::pool_as_query(const Tensor& x, const Triple& grid) const {
  if (!plan_.pool_q) return x;
  const std::int64_t batch = x.size(0), width = x.size(2), n = groups();
  const Tensor pooled = pool(x.view({batch, -1, n, width / n}), pool_q_, plan_.pool_q, grid);  // [B,n,N',C/n]
  return pooled.transpose(1, 2).reshape({batch, -1, width});
}

PoolingAttentionImpl::Qkv PoolingAttentionImpl::project_then_pool(const Tensor& x, const Triple& grid) {
  const std::int64_t batch = x.size(0), tokens = x.size(1), heads = plan_.heads, d = plan_.head_dim();
  Tensor q, k, v;  // [B,N,n,d]
  if (options_.separate_qkv) {
    q = q_(x).view({batch, tokens, heads, d});
    k = k_(x).view({batch, tokens, heads, d});
    v = v_(x).view({batch, tokens, heads, d});
  } else {
    const auto parts = qkv_(x).view({batch, tokens, 3, heads, d}).unbind(2);
    q = parts[0], k = parts[1], v = parts[2];
  }
  return {pool(q, pool_q_, plan_.pool_q, grid), pool(k, pool_k_, plan_.pool_kv, grid),
          pool(v, pool_v_, plan_.pool_kv, grid)};
}

PoolingAttentionImpl::Qkv PoolingAttentionImpl::pool_then_project(const Tensor& x, const Triple& grid) {
  const std::int64_t batch = x.size(0), n = groups();
  const Tensor grouped = x.view({batch, x.size(1), n, x.size(2) / n});
  const auto part = [&](const Pool& weights, const std::optional<Pooling>& pooling, torch::nn::Linear& linear) {
    const Tensor pooled = pool(grouped, weights, pooling, grid).transpose(1, 2).reshape({batch, -1, x.size(2)});
    return linear(pooled).view({batch, pooled.size(1), plan_.heads, plan_.head_dim()}).transpose(1, 2);
  };
  return {part(pool_q_, plan_.pool_q, q_), part(pool_k_, plan_.pool_kv, k_), part(pool_v_, plan_.pool_kv, v_)};
}

Tensor PoolingAttentionImpl::forward(const Tensor& x, const Triple& grid) {
  const std::int64_t batch = x.size(0);
  const auto [q, k, v] = options_.pool_first ? pool_then_project(x, grid) : project_then_pool(x, grid);
  const Triple grid_q = pooled_grid(grid, plan_.pool_q), grid_kv = pooled_grid(grid, plan_.pool_kv);
  const double scale = 1.0 / std::sqrt(static_cast<double>(plan_.head_dim()));
  Tensor scores;  // [B,n,Nq,Nk]
  if (tables_.any()) {
    const auto extended = extend_with_positions(q, k, scale, tables_, grid_q, grid_kv, options_.cls_embed_on);
    scores = torch::matmul(extended.q, extended.k.transpose(2, 3));
  } else {
    scores = torch::matmul(q * scale, k.transpose(2, 3));
  }
  Tensor out = torch::matmul(torch::softmax(scores, -1), v);  // [B,n,Nq,d]
  if (options_.residual_pooling) {
    // The class token's row gets no residual.
    out = options_.cls_embed_on
              ? torch::cat({out.narrow(2, 0, 1), out.narrow(2, 1, out.size(2) - 1) + q.narrow(2, 1, q.size(2) - 1)}, 2)
              : out + q;
  }
  out = proj_(out.transpose(1, 2).reshape({batch, -1, plan_.dim_attention}));
  return draw_dropout(out, options_.dropout_rate, is_training());
}

}  // namespace reeltag::model

#include "block.hpp"

#include "drawing.hpp"
#include "pooling.hpp"

namespace reeltag::model {

using torch::Tensor;

torch::nn::LayerNorm layer_norm(int width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

MlpImpl::MlpImpl(int in, int hidden, int out, double dropout)
    : fc1_(register_module("fc1", torch::nn::Linear(in, hidden))),
      fc2_(register_module("fc2", torch::nn::Linear(hidden, out))),
      dropout_(dropout) {}

Tensor MlpImpl::forward(const Tensor& x) {
  const Tensor hidden = draw_dropout(torch::gelu(fc1_(x)), dropout_, is_training());  // [B,N,hidden], exact GELU
  return draw_dropout(fc2_(hidden), dropout_, is_training());                         // [B,N,out]
}

BlockImpl::BlockImpl(const BlockPlan& plan, const MvitOptions& options)
    : plan_(plan),
      options_(options),
      norm1_(register_module("norm1", layer_norm(plan.dim_in))),
      norm2_(nullptr),
      attn_(register_module("attn", PoolingAttention(plan, options))),
      mlp_(nullptr) {
  norm2_ = register_module("norm2", layer_norm(plan.dim_attention));
  mlp_ = register_module("mlp", Mlp(plan.dim_attention, plan.mlp_hidden, plan.dim_out, options.dropout_rate));
  if (plan.dim_in != plan.dim_out) proj_ = register_module("proj", torch::nn::Linear(plan.dim_in, plan.dim_out));
}

BlockImpl::Output BlockImpl::forward(const Tensor& x, const Triple& grid) {
  const bool widens = plan_.dim_in != plan_.dim_out;
  const Tensor y = norm1_(x);
  const Tensor attention = attn_(y, grid);
  // Both projected skips start from the normalised input, as the published weights expect.
  Tensor skip = options_.dim_mul_in_att && widens ? proj_(y) : x;
  if (plan_.pool_skip) skip = pool_skip(skip, *plan_.pool_skip, grid, options_.cls_embed_on);
  const Tensor x1 = skip + drop_path(attention);
  const Tensor z = norm2_(x1);
  const Tensor residual = !options_.dim_mul_in_att && widens ? proj_(z) : x1;
  return {residual + drop_path(mlp_(z)), attention, pooled_grid(grid, plan_.pool_q)};
}

Tensor BlockImpl::drop_path(const Tensor& branch) {
  if (!is_training() || plan_.drop_path == 0.0) return branch;
  const double keep = 1.0 - plan_.drop_path;
  const Tensor mask = torch::floor(draw_per_sample(branch) + keep);
  return branch / keep * mask;
}

}  // namespace reeltag::model

// Multi-head pooling attention.
// Source: MViT (arXiv 2104.11227) section 3.1, MViTv2 (arXiv 2112.01526) section 4.1; same parameter names as
// slowfast/models/attention.py@287ec007, MultiScaleAttention.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"
#include "relative_position.hpp"

namespace reeltag::model {

class PoolingAttentionImpl final : public torch::nn::Module {
 public:
  PoolingAttentionImpl(const BlockPlan& plan, const MvitOptions& options);

  // x [B,N,dim_in], tokens of grid with the class token first where there is one -> [B,N',dim_attention].
  torch::Tensor forward(const torch::Tensor& x, const Triple& grid);

 private:
  // One of q, k, v: [B,N,n,d] -> pooled and normed [B,n,N',d].
  struct Pool {
    torch::Tensor weight;
    torch::nn::LayerNorm norm{nullptr};
  };
  Pool make_pool(const std::string& part, const std::optional<Pooling>& pooling);
  torch::Tensor pool(const torch::Tensor& tokens, const Pool& pool, const std::optional<Pooling>& pooling,
                     const Triple& grid) const;

  BlockPlan plan_;
  MvitOptions options_;
  torch::nn::Linear qkv_{nullptr}, q_{nullptr}, k_{nullptr}, v_{nullptr}, proj_{nullptr};
  Pool pool_q_, pool_k_, pool_v_;
  RelativeTables tables_;
};
TORCH_MODULE(PoolingAttention);

}  // namespace reeltag::model

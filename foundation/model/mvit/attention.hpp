// Multi-head pooling attention. Private. One thread at a time; owns its parameters; throws c10::Error.
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

  // x [B,N,dim_in], the tokens of grid preceded by the class token if the net has one -> [B,N',dim_attention].
  torch::Tensor forward(const torch::Tensor& x, const Triple& grid);
  // Pools and norms x [B,N,C] like the query -> [B,N',C]: the skip path of a reversible net's transitions.
  torch::Tensor pool_as_query(const torch::Tensor& x, const Triple& grid) const;

 private:
  struct Qkv {
    torch::Tensor q, k, v;  // [B,n,N',d]
  };
  Qkv project_then_pool(const torch::Tensor& x, const Triple& grid);
  Qkv pool_then_project(const torch::Tensor& x, const Triple& grid);
  [[nodiscard]] std::int64_t groups() const;  // channel groups per pooling, with POOL_FIRST

  // Pools and norms one of q, k, v: [B,N,n,d] -> [B,n,N',d].
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

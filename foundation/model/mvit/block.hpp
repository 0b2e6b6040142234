// One transformer block of MViT: pooling attention and a two-layer MLP, each with its own norm, skip and drop path.
// Private. One thread at a time; owns its parameters; throws c10::Error.
// Source: slowfast/models/attention.py@287ec007, MultiScaleBlock; stochastic depth arXiv 1603.09382.
#pragma once

#include <torch/torch.h>

#include "attention.hpp"

namespace reeltag::model {

// LayerNorm with the reference's eps of 1e-6.
torch::nn::LayerNorm layer_norm(int width);

// x [B,N,in] -> [B,N,out].
class MlpImpl final : public torch::nn::Module {
 public:
  MlpImpl(int in, int hidden, int out, double dropout);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear fc1_, fc2_;
  double dropout_;
};
TORCH_MODULE(Mlp);

class BlockImpl final : public torch::nn::Module {
 public:
  BlockImpl(const BlockPlan& plan, const MvitOptions& options);

  struct Output {
    torch::Tensor tokens;     // [B,N',dim_out]
    torch::Tensor attention;  // the attention branch before drop path, [B,N',dim_attention]
    Triple grid{};
  };
  // x [B,N,dim_in] over grid.
  Output forward(const torch::Tensor& x, const Triple& grid);

 private:
  torch::Tensor drop_path(const torch::Tensor& branch);

  BlockPlan plan_;
  MvitOptions options_;
  torch::nn::LayerNorm norm1_, norm2_;
  PoolingAttention attn_;
  Mlp mlp_;
  torch::nn::Linear proj_{nullptr};
};
TORCH_MODULE(Block);

}  // namespace reeltag::model

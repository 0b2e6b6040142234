// The whole classifier: stem, positions, blocks, norm, head. Private; model/mvit.hpp is what others see.
#pragma once

#include <vector>

#include <torch/torch.h>

#include "block.hpp"
#include "reeltag/model/mvit.hpp"

namespace reeltag::model {

// Frozen sine-cosine positions [1, T*H*W (+1), D], temporal quarter first; zeros for the class token.
// Source: slowfast/models/utils.py@287ec007, get_3d_sincos_pos_embed.
torch::Tensor sincos_positions(int width, const Triple& grid, bool class_token);

class NetImpl final : public torch::nn::Module {
 public:
  explicit NetImpl(const Plan& plan);

  torch::Tensor forward(const torch::Tensor& clips);  // [B,classes]
  torch::Tensor embed(const torch::Tensor& clips);    // [B,dim_out]
  Mvit::Observer observer;

 private:
  torch::Tensor patch_tokens(const torch::Tensor& clips);  // [B,T*H*W,C]
  torch::Tensor with_positions(torch::Tensor tokens);      // [B,N,C]
  void tell(const std::string& where, const torch::Tensor& output) const;

  Plan plan_;
  torch::Tensor cls_token_, pos_embed_, pos_spatial_, pos_temporal_, pos_class_;
  torch::Tensor patch_weight_, patch_bias_;
  torch::nn::LayerNorm norm_stem_{nullptr}, norm_{nullptr};
  std::vector<Block> blocks_;
  torch::nn::Linear projection_{nullptr};
};
TORCH_MODULE(Net);

// Draws all weights as slowfast/models/video_model_builder.py@287ec007 does.
void initialise(NetImpl& net, const Plan& plan);

}  // namespace reeltag::model

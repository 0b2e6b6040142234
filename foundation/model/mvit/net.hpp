// The whole classifier: stem, positions, blocks, norm, head. Private; model/mvit.hpp is what others see.
#pragma once

#include <vector>

#include <torch/torch.h>

#include "block.hpp"
#include "reeltag/model/mvit.hpp"
#include "reversible.hpp"

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
  void recompute_activations(bool on);  // of a reversible trunk in training; on by default

 private:
  struct Tokens {
    torch::Tensor x;  // [B,N,C]
    Triple grid{};
  };
  Tokens patch_tokens(const torch::Tensor& clips);             // without class token
  torch::Tensor absolute_positions(const Triple& grid) const;  // [1,N,C]; undefined without USE_ABS_POS
  torch::Tensor with_positions(const Tokens& patches);         // class token first
  torch::Tensor embed_blocks(Tokens tokens);
  torch::Tensor embed_reversible(const Tokens& tokens);
  void tell(const std::string& where, const torch::Tensor& output) const;

  Plan plan_;
  torch::Tensor cls_token_, pos_embed_, pos_spatial_, pos_temporal_, pos_class_;
  torch::Tensor patch_weight_, patch_bias_;
  torch::nn::LayerNorm norm_stem_{nullptr}, norm_{nullptr};
  std::vector<Block> blocks_;
  ReversibleTrunk trunk_{nullptr};
  StreamFusion fuse_{nullptr};
  torch::nn::Linear projection_{nullptr};
};
TORCH_MODULE(Net);

// Draws all weights as slowfast/models/video_model_builder.py@287ec007 does.
void initialise(NetImpl& net, const Plan& plan);

}  // namespace reeltag::model

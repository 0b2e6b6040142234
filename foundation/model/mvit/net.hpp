// The complete classifier: stem, blocks, norm, head. Private; the public interface is model/mvit.hpp. One thread at a
// time; owns its parameters; throws c10::Error.
#pragma once

#include <vector>

#include <torch/torch.h>

#include "block.hpp"
#include "reeltag/model/mvit.hpp"
#include "reversible.hpp"
#include "stem.hpp"

namespace reeltag::model {

class NetImpl final : public StemImpl {
 public:
  explicit NetImpl(const Plan& plan);

  torch::Tensor forward(const torch::Tensor& clips);  // [B,classes]
  torch::Tensor embed(const torch::Tensor& clips);    // [B,dim_out]
  void recompute_activations(bool on);                // of a reversible trunk in training; default on

 private:
  torch::Tensor embed_blocks(Tokens tokens);
  torch::Tensor embed_reversible(const Tokens& tokens);

  torch::nn::LayerNorm norm_{nullptr};
  std::vector<Block> blocks_;
  ReversibleTrunk trunk_{nullptr};
  StreamFusion fuse_{nullptr};
  torch::nn::Linear projection_{nullptr};
};
TORCH_MODULE(Net);

// Initialises all weights like slowfast/models/video_model_builder.py@287ec007.
void initialize(torch::nn::Module& net, const Plan& plan);

}  // namespace reeltag::model

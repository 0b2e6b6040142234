// Converts clips to the first block's tokens: patches, class token, absolute positions. Private. One thread at a time;
// owns its parameters; throws c10::Error.
#pragma once

#include <string>

#include <torch/torch.h>

#include "reeltag/model/mvit.hpp"

namespace reeltag::model {

struct Tokens {
  torch::Tensor x;  // [B,N,C]
  Triple grid{};
};

class StemImpl : public torch::nn::Module {
 public:
  explicit StemImpl(const Plan& plan);
  Mvit::Observer observer;

 protected:
  Tokens patch_tokens(const torch::Tensor& clips);             // without class token
  torch::Tensor absolute_positions(const Triple& grid) const;  // [1,N,C]; undefined without USE_ABS_POS
  torch::Tensor with_positions(const Tokens& patches);         // class token first
  void tell(const std::string& where, const torch::Tensor& output) const;

  Plan plan_;
  torch::Tensor cls_token_;

 private:
  torch::Tensor pos_embed_, pos_spatial_, pos_temporal_, pos_class_;
  torch::Tensor patch_weight_, patch_bias_;
  torch::nn::LayerNorm norm_stem_{nullptr};
};

}  // namespace reeltag::model

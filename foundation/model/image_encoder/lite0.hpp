// EfficientNet-Lite0 for pictures of 224 x 224, inference only. Private; the public interface is
// model/image_encoder.hpp. Immutable once built, so any thread may run it. Owns its weights. Throws Exception(corrupt)
// for weights of another net.
//
//   picture [3,224,224] -> stem 3x3/2 [32,112,112] -> 16 inverted bottlenecks [320,7,7] -> 1x1 [1280,7,7] -> mean
//   bottleneck: 1x1 expansion by 6, depthwise k x k convolution, 1x1 projection; plus its input where shapes agree
//
// Source: EfficientNet (arXiv:1905.11946, table 1). Lite omits squeeze-and-excitation and replaces swish by ReLU6:
// tensorflow/tpu models/official/efficientnet/lite. Weights' names: PyPI efficientnet-lite-pytorch 0.1.0.
#pragma once

#include <optional>
#include <vector>

#include <torch/torch.h>

#include "convolution.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {

class Lite0 {
 public:
  Lite0(const TensorFile& file, Kernels kernels);

  [[nodiscard]] at::Tensor features(const at::Tensor& images) const;  // [B,3,224,224], channels last -> [B,1280]
  [[nodiscard]] at::Tensor logits(const at::Tensor& features) const;  // [B,1280] -> [B,1000]

 private:
  struct Block {
    std::optional<Convolution> widen;
    Convolution depthwise, narrow;
    bool add_input = false;
  };
  static at::Tensor run(const Block& block, const at::Tensor& x);

  std::optional<Convolution> stem_, head_;
  std::vector<Block> blocks_;
  at::Tensor classifier_, classifier_bias_;
};

}  // namespace reeltag::model

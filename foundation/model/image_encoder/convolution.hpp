// One layer of the image encoder: a convolution with its batch norm folded in, followed by ReLU6 or an addition.
// Private. Immutable once built, so any thread may run it. Owns its weights. Throws Exception(not_found) for an absent
// tensor, and c10::Error.
#pragma once

#include <string>

#include <torch/torch.h>

#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {

// How layers run: as plain ATen operators, or as oneDNN's fused operators, which clip and add before they store. The
// fused ones are those that PyTorch's compiler calls. Plain is used where libtorch lacks them or if
// REELTAG_OPS=reference.
enum class Kernels { plain, fused };
Kernels best_kernels();

struct ConvolutionShape {
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  std::int64_t side = 0;  // of the square input, in pixels
  bool clip = true;       // apply ReLU6
};

class Convolution {
 public:
  // Reads the weights NAME.weight, and NORM.weight, bias, running_mean and running_var of the batch norm that follows.
  Convolution(const TensorFile& file, const std::string& name, const std::string& norm, const ConvolutionShape& shape,
              Kernels kernels);

  // Both operators: x [B,in,side,side] -> [B,out,side/stride,side/stride].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  // The convolution plus other, without ReLU6: the last layer of a residual block.
  [[nodiscard]] at::Tensor plus(const at::Tensor& x, const at::Tensor& other) const;

  [[nodiscard]] std::int64_t out() const { return bias_.size(0); }

 private:
  [[nodiscard]] at::Tensor plain(const at::Tensor& x) const;

  ConvolutionShape shape_;
  Kernels kernels_;
  std::int64_t padding_ = 0;
  at::Tensor weight_, bias_;  // weight_ is in oneDNN's packed layout when fused
};

}  // namespace reeltag::model

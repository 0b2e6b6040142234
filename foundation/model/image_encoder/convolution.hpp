// One layer of the image encoder: a convolution with its batch norm folded in and ReLU6 or an addition after it.
// Private. Immutable once built; any thread.
#pragma once

#include <string>

#include <torch/torch.h>

#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {

// How layers run: as plain ATen operators, or as oneDNN's, which also clip and add before they store. The fused ones
// are those that PyTorch's compiler calls; where libtorch lacks them, or REELTAG_OPS=reference, all is plain.
enum class Kernels { plain, fused };
Kernels best_kernels();

struct ConvolutionShape {
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  std::int64_t side = 0;  // of the square picture it reads, in pixels
  bool clip = true;       // ReLU6 after it
};

class Convolution {
 public:
  // The weights NAME.weight, and the batch norm NORM.weight, bias, running_mean, running_var after it.
  Convolution(const TensorFile& file, const std::string& name, const std::string& norm, const ConvolutionShape& shape,
              Kernels kernels);

  // Both: x [B,in,side,side] -> [B,out,side/stride,side/stride].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  // The convolution plus other, without ReLU6: the end of a block.
  [[nodiscard]] at::Tensor plus(const at::Tensor& x, const at::Tensor& other) const;

  [[nodiscard]] std::int64_t out() const { return bias_.size(0); }

 private:
  [[nodiscard]] at::Tensor plain(const at::Tensor& x) const;

  ConvolutionShape shape_;
  Kernels kernels_;
  std::int64_t padding_ = 0;
  at::Tensor weight_, bias_;  // weight_ in oneDNN's own order when fused
};

}  // namespace reeltag::model

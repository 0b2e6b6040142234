#include "convolution.hpp"

#include <cstdlib>
#include <optional>
#include <string_view>

#include <ATen/core/dispatch/Dispatcher.h>

namespace reeltag::model {
namespace {

using at::Tensor;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::string_view;

constexpr double kEpsilon = 1e-3;  // of every batch norm: the TensorFlow net's, not PyTorch's default
constexpr double kClip = 6.0;      // ReLU6

using Run = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, at::IntArrayRef, at::IntArrayRef,
                   at::IntArrayRef, std::int64_t, Text, Scalars, std::optional<Text>);
using RunAdd = Tensor(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, at::IntArrayRef,
                      at::IntArrayRef, at::IntArrayRef, std::int64_t, Text, std::optional<at::Scalar>,
                      std::optional<Text>, Scalars, std::optional<Text>);
using Pack = Tensor(const Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                    at::OptionalIntArrayRef);

// oneDNN's fused operators as libtorch registers them; absent unless all three are there with these signatures.
struct FusedOperators {
  c10::TypedOperatorHandle<Run> run;
  c10::TypedOperatorHandle<RunAdd> run_add;
  c10::TypedOperatorHandle<Pack> pack;
};

const std::optional<FusedOperators>& fused_operators() {
  static const std::optional<FusedOperators> operators = []() -> std::optional<FusedOperators> {
    if (!at::globalContext().userEnabledMkldnn() || !at::hasMKLDNN()) return std::nullopt;
    auto& all = c10::Dispatcher::singleton();
    try {
      return FusedOperators{all.findSchemaOrThrow("mkldnn::_convolution_pointwise", "").typed<Run>(),
                            all.findSchemaOrThrow("mkldnn::_convolution_pointwise", "binary").typed<RunAdd>(),
                            all.findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "").typed<Pack>()};
    } catch (const c10::Error&) {
      return std::nullopt;
    }
  }();
  return operators;
}

// Folds y = (Wx - mean) / sqrt(var + eps) * gamma + beta into one convolution, computed in float64 for precision.
struct FoldedConvolution {
  Tensor weight, bias;
};
FoldedConvolution fold(const TensorFile& file, const std::string& name, const std::string& norm) {
  const auto read = [&](const std::string& which) { return file.at(which).to(torch::kDouble); };
  const Tensor scale = read(norm + ".weight") / (read(norm + ".running_var") + kEpsilon).sqrt();  // [out]
  const Tensor bias = read(norm + ".bias") - read(norm + ".running_mean") * scale;
  return {read(name + ".weight") * scale.view({-1, 1, 1, 1}), bias.to(torch::kFloat)};
}

}  // namespace

Kernels best_kernels() {
  const char* ops = std::getenv("REELTAG_OPS");
  const bool reference = ops != nullptr && Text(ops) == "reference";
  return reference || !fused_operators() ? Kernels::plain : Kernels::fused;
}

// TensorFlow's "SAME" padding makes ceil(side / stride) pixels. With stride 2 and an even side it pads one pixel more
// after the picture than before it. ATen's convolutions pad symmetrically, and padding by a copy costs 2 to 4 ms per
// picture; prepending a zero row and column to the kernel and padding both sides by the larger amount is equivalent.
Convolution::Convolution(const TensorFile& file, const std::string& name, const std::string& norm,
                         const ConvolutionShape& shape, Kernels kernels)
    : shape_(shape), kernels_(kernels) {
  FoldedConvolution folded = fold(file, name, norm);
  padding_ = (folded.weight.size(2) - 1) / 2;
  if (shape.stride == 2) folded.weight = torch::constant_pad_nd(folded.weight, {1, 0, 1, 0});
  weight_ = folded.weight.to(torch::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  bias_ = folded.bias;
  if (kernels_ != Kernels::fused) return;
  const std::array<std::int64_t, 4> input{1, weight_.size(1) * shape.groups, shape.side, shape.side};
  weight_ = fused_operators()->pack.call(weight_, {padding_, padding_}, {shape.stride, shape.stride}, {1, 1},
                                         shape.groups, at::IntArrayRef(input));
}

Tensor Convolution::plain(const Tensor& x) const {
  return torch::conv2d(x, weight_, bias_, shape_.stride, padding_, 1, shape_.groups);
}

Tensor Convolution::operator()(const Tensor& x) const {
  if (kernels_ == Kernels::plain) return shape_.clip ? plain(x).clamp_(0, kClip) : plain(x);
  Scalars bounds;
  if (shape_.clip) {
    bounds.push_back(at::Scalar(0.0));
    bounds.push_back(at::Scalar(kClip));
  }
  return fused_operators()->run.call(x, weight_, bias_, {padding_, padding_}, {shape_.stride, shape_.stride}, {1, 1},
                                     shape_.groups, shape_.clip ? "hardtanh" : "none", bounds, Text());
}

Tensor Convolution::plus(const Tensor& x, const Tensor& other) const {
  if (kernels_ == Kernels::plain) return plain(x).add_(other);
  return fused_operators()->run_add.call(x, other, weight_, bias_, {padding_, padding_}, {shape_.stride, shape_.stride},
                                         {1, 1}, shape_.groups, "add", at::Scalar(1.0), std::nullopt, Scalars(),
                                         std::nullopt);
}

}  // namespace reeltag::model

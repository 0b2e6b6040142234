#include "lite0.hpp"

#include <array>

#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

// A stage: blocks of equal width, of which the first applies the stride.
struct Stage {
  int blocks, kernel, stride, widening, channels;
};
constexpr std::array<Stage, 7> kStages{{{1, 3, 1, 1, 16},
                                        {2, 3, 2, 6, 24},
                                        {2, 5, 2, 6, 40},
                                        {3, 3, 2, 6, 80},
                                        {3, 5, 1, 6, 112},
                                        {4, 5, 2, 6, 192},
                                        {1, 3, 1, 6, 320}}};
constexpr std::int64_t kStem = 32;  // channels

// Rejects the weights of another net.
void expect_shape(const at::Tensor& tensor, at::IntArrayRef shape, const std::string& name) {
  if (tensor.sizes() == shape) return;
  throw Exception(Code::corrupt, "the image encoder's " + name + " has another shape than EfficientNet-Lite0's");
}

}  // namespace

Lite0::Lite0(const TensorFile& file, Kernels kernels) {
  std::int64_t side = ImageEncoder::kSide, channels = kStem;
  const auto layer = [&](const std::string& name, const std::string& norm, at::IntArrayRef shape,
                         const ConvolutionShape& options) {
    expect_shape(file.at(name + ".weight"), shape, name);
    return Convolution(file, name, norm, options, kernels);
  };
  stem_ = layer("_conv_stem", "_bn0", {kStem, 3, 3, 3}, {.stride = 2, .side = side});
  side /= 2;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i) {
      const std::string name = "_blocks." + std::to_string(blocks_.size()) + ".";
      const std::int64_t stride = i == 0 ? stage.stride : 1, wide = channels * stage.widening;
      std::optional<Convolution> widen;
      if (stage.widening != 1)
        widen = layer(name + "_expand_conv", name + "_bn0", {wide, channels, 1, 1}, {.side = side});
      Convolution depthwise = layer(name + "_depthwise_conv", name + "_bn1", {wide, 1, stage.kernel, stage.kernel},
                                    {.stride = stride, .groups = wide, .side = side});
      side /= stride;
      blocks_.push_back({.widen = std::move(widen),
                         .depthwise = std::move(depthwise),
                         .narrow = layer(name + "_project_conv", name + "_bn2", {stage.channels, wide, 1, 1},
                                         {.side = side, .clip = false}),
                         .add_input = stride == 1 && channels == stage.channels});
      channels = stage.channels;
    }
  }
  head_ = layer("_conv_head", "_bn1", {ImageEncoder::kFeatures, channels, 1, 1}, {.side = side});
  classifier_ = file.at("_fc.weight");
  classifier_bias_ = file.at("_fc.bias");
  expect_shape(classifier_, {ImageEncoder::kClasses, ImageEncoder::kFeatures}, "_fc");
}

at::Tensor Lite0::run(const Block& block, const at::Tensor& x) {
  const at::Tensor inner = block.depthwise(block.widen ? (*block.widen)(x) : x);
  return block.add_input ? block.narrow.plus(inner, x) : block.narrow(inner);
}

at::Tensor Lite0::features(const at::Tensor& images) const {
  at::Tensor x = (*stem_)(images);  // [B,32,112,112]
  for (const Block& block : blocks_) x = run(block, x);
  return (*head_)(x).mean({2, 3});
}

at::Tensor Lite0::logits(const at::Tensor& features) const {
  return torch::linear(features, classifier_, classifier_bias_);
}

}  // namespace reeltag::model

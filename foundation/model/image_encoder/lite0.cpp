#include "lite0.hpp"

#include <array>
#include <cmath>

#include <openvino/openvino.hpp>
#include <openvino/opsets/opset8.hpp>

#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

namespace op = ov::opset8;
using Node = ov::Output<ov::Node>;

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
constexpr int kStem = 32;          // channels
constexpr double kEpsilon = 1e-3;  // of every batch norm: the TensorFlow net's, not PyTorch's default
constexpr double kClip = 6.0;      // ReLU6

struct ConvolutionShape {
  int in = 0, out = 0, kernel = 1, stride = 1;
  bool depthwise = false, clip = true;
};

Node constant(const ov::Shape& shape, const std::vector<float>& values) {
  return op::Constant::create(ov::element::f32, shape, values);
}

class Lite0 {
 public:
  explicit Lite0(const Weights& weights) : weights_(weights) {}

  [[nodiscard]] Node features(const Node& picture) const {
    Node x = convolution(picture, "_conv_stem", "_bn0", {.in = 3, .out = kStem, .kernel = 3, .stride = 2});
    int channels = kStem, number = 0;
    for (const Stage& stage : kStages) {
      for (int i = 0; i < stage.blocks; ++i) {
        x = bottleneck(x, "_blocks." + std::to_string(number++) + ".", stage, channels, i == 0 ? stage.stride : 1);
        channels = stage.channels;
      }
    }
    x = convolution(x, "_conv_head", "_bn1", {.in = channels, .out = ImageEncoder::kFeatures});
    const auto axes = op::Constant::create(ov::element::i64, {2}, {2, 3});
    return std::make_shared<op::ReduceMean>(x, axes, /*keep_dims=*/false);
  }

  [[nodiscard]] Node logits(const Node& features) const {
    const ov::Shape shape{ImageEncoder::kClasses, ImageEncoder::kFeatures};
    const Node product =
        std::make_shared<op::MatMul>(features, constant(shape, values("_fc.weight", shape)), false, true);
    return std::make_shared<op::Add>(product, constant({shape[0]}, values("_fc.bias", {shape[0]})));
  }

 private:
  // Rejects the weights of another net.
  [[nodiscard]] const std::vector<float>& values(const std::string& name, const ov::Shape& shape) const {
    const Array& array = weights_.at(name);
    if (ov::Shape(array.shape.begin(), array.shape.end()) == shape) return array.values;
    throw Exception(Code::corrupt, "the image encoder's " + name + " has another shape than EfficientNet-Lite0's");
  }

  [[nodiscard]] Node bottleneck(const Node& x, const std::string& name, const Stage& stage, int channels,
                                int stride) const {
    const int wide = channels * stage.widening;
    Node inner = x;
    if (stage.widening != 1)
      inner = convolution(x, name + "_expand_conv", name + "_bn0", {.in = channels, .out = wide});
    inner = convolution(inner, name + "_depthwise_conv", name + "_bn1",
                        {.in = wide, .out = wide, .kernel = stage.kernel, .stride = stride, .depthwise = true});
    inner =
        convolution(inner, name + "_project_conv", name + "_bn2", {.in = wide, .out = stage.channels, .clip = false});
    return stride == 1 && channels == stage.channels ? Node(std::make_shared<op::Add>(inner, x)) : inner;
  }

  // With the batch norm behind it folded in: y = (Wx - mean) / sqrt(var + eps) * gamma + beta.
  [[nodiscard]] Node convolution(const Node& x, const std::string& name, const std::string& norm,
                                 const ConvolutionShape& s) const {
    const auto n = [](int size) { return static_cast<std::size_t>(size); };
    const std::size_t in = s.depthwise ? 1 : n(s.in), taps = in * n(s.kernel) * n(s.kernel);
    std::vector<float> weight = values(name + ".weight", {n(s.out), in, n(s.kernel), n(s.kernel)});
    const auto &gamma = values(norm + ".weight", {n(s.out)}), &beta = values(norm + ".bias", {n(s.out)}),
               &mean = values(norm + ".running_mean", {n(s.out)}), &var = values(norm + ".running_var", {n(s.out)});
    std::vector<float> bias(n(s.out));
    for (std::size_t c = 0; c < bias.size(); ++c) {
      const double scale = gamma[c] / std::sqrt(var[c] + kEpsilon);
      bias[c] = static_cast<float>(beta[c] - mean[c] * scale);
      for (std::size_t i = c * taps; i < (c + 1) * taps; ++i) weight[i] = static_cast<float>(weight[i] * scale);
    }
    // TensorFlow's "SAME" padding: with stride 2 and an even side one pixel more after the picture than before it.
    const std::ptrdiff_t after = (s.kernel - 1) / 2, before = s.stride == 2 ? (s.kernel - 2) / 2 : after;
    const ov::Strides strides{n(s.stride), n(s.stride)};
    const ov::CoordinateDiff begin{before, before}, end{after, after};
    Node y;
    if (s.depthwise) {
      const Node kernel = constant({n(s.out), 1, 1, n(s.kernel), n(s.kernel)}, weight);
      y = std::make_shared<op::GroupConvolution>(x, kernel, strides, begin, end, ov::Strides{1, 1});
    } else {
      const Node kernel = constant({n(s.out), in, n(s.kernel), n(s.kernel)}, weight);
      y = std::make_shared<op::Convolution>(x, kernel, strides, begin, end, ov::Strides{1, 1});
    }
    y = std::make_shared<op::Add>(y, constant({1, n(s.out), 1, 1}, bias));
    return s.clip ? Node(std::make_shared<op::Clamp>(y, 0.0, kClip)) : y;
  }

  const Weights& weights_;
};

}  // namespace

infer::Graph lite0_graph(const Weights& weights) {
  constexpr std::size_t kSide = ImageEncoder::kSide;
  const auto picture = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 3, kSide, kSide});
  picture->output(0).set_names({"picture"});
  const Lite0 net(weights);
  Node features = net.features(picture), logits = net.logits(features);
  features.add_names({"features"});
  logits.add_names({"logits"});
  return infer::Graph(
      std::make_shared<ov::Model>(ov::OutputVector{features, logits}, ov::ParameterVector{picture}, "lite0"));
}

}  // namespace reeltag::model

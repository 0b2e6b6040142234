// Operations of a graph in the words of a net. Private. Functions, any thread; nodes are shared values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <openvino/core/node_output.hpp>

#include "reeltag/model/weights.hpp"

namespace reeltag::model {

using Node = ov::Output<ov::Node>;
using Axes = std::vector<std::int64_t>;

[[nodiscard]] std::int64_t size(const Node& x, std::size_t axis);
[[nodiscard]] Node constant(const Axes& shape, const std::vector<float>& values);
[[nodiscard]] Node constant(const Array& array);

[[nodiscard]] Node add(const Node& a, const Node& b);
[[nodiscard]] Node multiply(const Node& a, const Node& b);
[[nodiscard]] Node reshape(const Node& x, const Axes& shape);
[[nodiscard]] Node transpose(const Node& x, const Axes& order);
[[nodiscard]] Node concat(const std::vector<Node>& parts, std::int64_t axis);
[[nodiscard]] Node narrow(const Node& x, std::int64_t axis, std::int64_t start, std::int64_t length);
[[nodiscard]] Node broadcast(const Node& x, const Axes& shape);
[[nodiscard]] Node mean(const Node& x, std::int64_t axis);  // drops the axis
[[nodiscard]] Node matmul(const Node& a, const Node& b, bool transpose_b);
[[nodiscard]] Node softmax(const Node& x);  // over the last axis
[[nodiscard]] Node gelu(const Node& x);     // exact

// Weights of the layers below `prefix`, e.g. "blocks.0.norm1."; a missing or ill-shaped one throws Exception.
class Layers {
 public:
  explicit Layers(const Weights& weights, std::string prefix = {}) : weights_(&weights), prefix_(std::move(prefix)) {}

  [[nodiscard]] Layers below(const std::string& name) const { return Layers(*weights_, prefix_ + name + "."); }
  [[nodiscard]] const Array& array(const std::string& name, const Axes& shape) const;
  [[nodiscard]] const Array* find(const std::string& name) const { return weights_->find(prefix_ + name); }

  // x W^T + b, times factor. A layer without a bias has none in the weights.
  [[nodiscard]] Node linear(const std::string& name, const Node& x, std::int64_t out, float factor = 1.0F) const;
  // Over the last axis, times factor.
  [[nodiscard]] Node layer_norm(const std::string& name, const Node& x, float factor = 1.0F, double eps = 1e-6) const;

 private:
  const Weights* weights_;
  std::string prefix_;
};

}  // namespace reeltag::model

#include "operations.hpp"

#include <openvino/opsets/opset8.hpp>

namespace reeltag::model {
namespace {

namespace op = ov::opset8;

Node axes_constant(const Axes& values) { return op::Constant::create(ov::element::i64, {values.size()}, values); }

std::vector<float> scaled(std::vector<float> values, float factor) {
  for (float& value : values) value *= factor;
  return values;
}

std::string text(const Axes& shape) {
  std::string out;
  for (const auto axis : shape) out += (out.empty() ? "" : ",") + std::to_string(axis);
  return "[" + out + "]";
}

}  // namespace

std::int64_t size(const Node& x, std::size_t axis) { return static_cast<std::int64_t>(x.get_shape().at(axis)); }

Node constant(const Axes& shape, const std::vector<float>& values) {
  return op::Constant::create(ov::element::f32, ov::Shape(shape.begin(), shape.end()), values);
}
Node constant(const Array& array) { return constant(array.shape, array.values); }

Node add(const Node& a, const Node& b) { return std::make_shared<op::Add>(a, b); }
Node multiply(const Node& a, const Node& b) { return std::make_shared<op::Multiply>(a, b); }
Node reshape(const Node& x, const Axes& shape) {
  return std::make_shared<op::Reshape>(x, axes_constant(shape), /*special_zero=*/false);
}
Node transpose(const Node& x, const Axes& order) { return std::make_shared<op::Transpose>(x, axes_constant(order)); }
Node concat(const std::vector<Node>& parts, std::int64_t axis) { return std::make_shared<op::Concat>(parts, axis); }
Node narrow(const Node& x, std::int64_t axis, std::int64_t start, std::int64_t length) {
  return std::make_shared<op::Slice>(x, axes_constant({start}), axes_constant({start + length}), axes_constant({1}),
                                     axes_constant({axis}));
}
Node broadcast(const Node& x, const Axes& shape) { return std::make_shared<op::Broadcast>(x, axes_constant(shape)); }
Node mean(const Node& x, std::int64_t axis) {
  return std::make_shared<op::ReduceMean>(x, axes_constant({axis}), /*keep_dims=*/false);
}
Node matmul(const Node& a, const Node& b, bool transpose_b) {
  return std::make_shared<op::MatMul>(a, b, false, transpose_b);
}
Node softmax(const Node& x) { return std::make_shared<op::Softmax>(x, -1); }
Node gelu(const Node& x) { return std::make_shared<op::Gelu>(x, ov::op::GeluApproximationMode::ERF); }

const Array& Layers::array(const std::string& name, const Axes& shape) const {
  const Array* stored = find(name);
  if (stored == nullptr) throw Exception(Code::corrupt, "the weights lack " + prefix_ + name);
  const Array& found = *stored;
  if (found.shape == shape) return found;
  throw Exception(Code::corrupt, "the weights' " + prefix_ + name + " has the shape " + text(found.shape) +
                                     ", not the recipe's " + text(shape));
}

Node Layers::linear(const std::string& name, const Node& x, std::int64_t out, float factor) const {
  const Array& weight = array(name + ".weight", {out, size(x, x.get_shape().size() - 1)});
  const Node product = matmul(x, constant(weight.shape, scaled(weight.values, factor)), true);
  if (find(name + ".bias") == nullptr) return product;
  return add(product, constant({out}, scaled(array(name + ".bias", {out}).values, factor)));
}

Node Layers::layer_norm(const std::string& name, const Node& x, float factor, double eps) const {
  const std::int64_t width = size(x, x.get_shape().size() - 1);
  const Node normed =
      std::make_shared<op::MVN>(x, axes_constant({-1}), true, static_cast<float>(eps), ov::op::MVNEpsMode::INSIDE_SQRT);
  const Node weight = constant({width}, scaled(array(name + ".weight", {width}).values, factor));
  return add(multiply(normed, weight), constant({width}, scaled(array(name + ".bias", {width}).values, factor)));
}

}  // namespace reeltag::model

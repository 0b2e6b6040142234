#include "reversible_graph.hpp"

#include <openvino/opsets/opset8.hpp>

#include "pooling_attention.hpp"

namespace reeltag::model {
namespace {

namespace op = ov::opset8;

// The branches of a layer: attention F and MLP G, each behind a norm.
class Layer {
 public:
  Layer(const BlockPlan& plan, const MvitOptions& options, const Layers& layers)
      : plan_(plan), options_(options), layers_(layers) {}

  [[nodiscard]] Node attend(const Node& x, const Triple& grid) const {
    const Layers branch = layers_.below("F");
    const TokenNodes normed{.cls = {}, .patches = branch.layer_norm("norm", x), .grid = grid};
    return *pooling_attention(normed, plan_, options_, branch.below("attn"), true).patches;
  }

  [[nodiscard]] Node mix(const Node& x) const {
    const Layers branch = layers_.below("G");
    return mlp(branch.below("mlp"), branch.layer_norm("norm", x), plan_.mlp_hidden, plan_.dim_out);
  }

  // Merges the streams, changes width and grid.
  [[nodiscard]] Node transit(const Node& streams, const Triple& grid) const {
    const Node x = fuse_streams(*plan_.transition, layers_.below("pre_q_fuse"), streams);
    const bool widens = plan_.dim_in != plan_.dim_out;
    Node skip = x;
    if (widens && !options_.pool_first) skip = layers_.linear("res_proj", skip, plan_.dim_out);
    skip = pool_as_query(skip, grid, plan_, options_, layers_.below("F").below("attn"));
    if (widens && options_.pool_first) skip = layers_.linear("res_proj", skip, plan_.dim_out);
    const Node y = add(skip, attend(x, grid));
    return add(y, mix(y));
  }

 private:
  const BlockPlan& plan_;
  const MvitOptions& options_;
  Layers layers_;
};

}  // namespace

Node mlp(const Layers& layers, const Node& x, std::int64_t hidden, std::int64_t out) {
  return layers.linear("fc2", gelu(layers.linear("fc1", x, hidden)), out);
}

Node fuse_streams(const Fusion& fusion, const Layers& layers, const Node& streams) {
  constexpr double kDefaultEps = 1e-5;
  const std::int64_t width = size(streams, 2);
  if (fusion.hidden > 0) {
    const Layers inner = layers.below("fuse_fn");
    if (!fusion.layer_norm) return add(streams, mlp(inner, streams, fusion.hidden, width));
    return add(streams, mlp(inner.below("1"), inner.layer_norm("0", streams, 1.0F, kDefaultEps), fusion.hidden, width));
  }
  if (fusion.keeps_both()) return streams;
  const Node a = narrow(streams, 2, 0, width / 2), b = narrow(streams, 2, width / 2, width / 2);
  if (fusion.op == "max") return std::make_shared<op::Maximum>(a, b);
  if (fusion.op == "min") return std::make_shared<op::Minimum>(a, b);
  return fusion.op == "add" ? add(a, b) : multiply(add(a, b), constant({1}, {0.5F}));
}

Node reversible_trunk(const Plan& plan, const Layers& layers, const Node& x, Triple grid) {
  Node first = x, second = x;
  Node streams = x;  // what the last layer left
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const BlockPlan& block = plan.blocks[i];
    const Layer layer(block, plan.recipe.mvit, layers.below("layers").below(std::to_string(i)));
    if (block.transition) {
      first = second = streams = layer.transit(streams, grid);
      grid = pooled_grid(grid, block.pool_q);
      continue;
    }
    first = add(first, layer.attend(second, grid));
    second = add(second, layer.mix(first));
    streams = concat({first, second}, 2);
  }
  return streams;
}

}  // namespace reeltag::model

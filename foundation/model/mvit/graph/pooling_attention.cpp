#include "pooling_attention.hpp"

#include <cmath>

#include <openvino/opsets/opset8.hpp>

#include "positions.hpp"

namespace reeltag::model {
namespace {

namespace op = ov::opset8;

ov::Shape sizes(const Triple& t) {
  return {static_cast<std::size_t>(t[0]), static_cast<std::size_t>(t[1]), static_cast<std::size_t>(t[2])};
}
ov::Strides strides(const Triple& t) { return ov::Strides(sizes(t)); }
ov::Shape padding(const Pooling& p) { return sizes({p.kernel[0] / 2, p.kernel[1] / 2, p.kernel[2] / 2}); }
ov::CoordinateDiff signed_padding(const Pooling& p) { return {p.kernel[0] / 2, p.kernel[1] / 2, p.kernel[2] / 2}; }

// Patches [B,T*H*W,C] -> op([B,C,T,H,W]) -> [B,T'*H'*W',C].
template <class Op>
Node over_grid(const Node& patches, const Triple& grid, const Op& run) {
  const std::int64_t batch = size(patches, 0), width = size(patches, 2);
  const Node pooled = run(transpose(reshape(patches, {batch, grid[0], grid[1], grid[2], width}), {0, 4, 1, 2, 3}));
  return reshape(transpose(pooled, {0, 2, 3, 4, 1}), {batch, -1, width});
}

Node max_pooled(const Node& x, const Pooling& p) {
  return std::make_shared<op::MaxPool>(x, strides(p.stride), ov::Strides{1, 1, 1}, padding(p), padding(p),
                                       sizes(p.kernel), ov::op::RoundingType::FLOOR)
      ->output(0);
}

// A depthwise convolution whose weights [d,1,kt,kh,kw] are those of each of the C/d groups of channels.
Node convolved(const Node& x, const Pooling& p, const Layers& layers, const std::string& part, int width) {
  const Array& weight = layers.array("pool_" + part + ".weight", {width, 1, p.kernel[0], p.kernel[1], p.kernel[2]});
  const std::int64_t channels = size(x, 1);
  std::vector<float> repeated;
  for (std::int64_t group = 0; group < channels / width; ++group)
    repeated.insert(repeated.end(), weight.values.begin(), weight.values.end());
  return std::make_shared<op::GroupConvolution>(
      x, constant({channels, 1, 1, p.kernel[0], p.kernel[1], p.kernel[2]}, repeated), strides(p.stride),
      signed_padding(p), signed_padding(p), ov::Strides{1, 1, 1});
}

class Attention {
 public:
  Attention(const BlockPlan& plan, const MvitOptions& options, const Layers& layers)
      : plan_(plan), options_(options), layers_(layers) {}

  // The linear layer q, k or v, times factor.
  [[nodiscard]] Node project(const std::string& part, const Node& x, float factor) const {
    const int out = plan_.dim_attention;
    if (options_.separate_qkv || options_.pool_first) return layers_.linear(part, x, out, factor);
    return part_of_qkv(part, x, factor);
  }

  // [B,N,C] -> [B,N',C], normed by groups of pool_width channels where the pooling is a convolution.
  [[nodiscard]] TokenNodes pool(const std::string& part, const TokenNodes& x, const std::optional<Pooling>& pooling,
                                float factor) const {
    if (!pooling) return x;
    TokenNodes out{.cls = x.cls, .patches = {}, .grid = pooled_grid(x.grid, pooling)};
    if (x.patches) {
      out.patches = over_grid(*x.patches, x.grid, [&](const Node& volume) -> Node {
        if (is_convolution()) return convolved(volume, *pooling, layers_, part, plan_.pool_width);
        if (options_.mode == "max") return max_pooled(volume, *pooling);
        return std::make_shared<op::AvgPool>(volume, strides(pooling->stride), padding(*pooling), padding(*pooling),
                                             sizes(pooling->kernel), /*exclude_pad=*/false,
                                             ov::op::RoundingType::FLOOR);
      });
    }
    if (!is_convolution()) return out;
    if (out.cls) out.cls = norm(part, *out.cls, factor);  // the class token is normed as well
    if (out.patches) out.patches = norm(part, *out.patches, factor);
    return out;
  }

  // q, k or v over the pooled grid, [B,N',C] each, times factor.
  [[nodiscard]] TokenNodes part(const std::string& name, const TokenNodes& x, const std::optional<Pooling>& pooling,
                                float factor) const {
    const bool normed = pooling && is_convolution();  // a norm undoes a factor before it
    if (options_.pool_first) return projected(name, pool(name, x, pooling, 1.0F), factor);
    return pool(name, projected(name, x, normed ? 1.0F : factor), pooling, normed ? factor : 1.0F);
  }

 private:
  [[nodiscard]] bool is_convolution() const { return options_.mode.starts_with("conv"); }

  [[nodiscard]] TokenNodes projected(const std::string& part, const TokenNodes& x, float factor) const {
    TokenNodes out{.cls = {}, .patches = {}, .grid = x.grid};
    if (x.cls) out.cls = project(part, *x.cls, factor);
    if (x.patches) out.patches = project(part, *x.patches, factor);
    return out;
  }

  [[nodiscard]] Node norm(const std::string& part, const Node& x, float factor) const {
    const std::int64_t width = size(x, 2), group = plan_.pool_width;
    if (width == group) return layers_.layer_norm("norm_" + part, x, factor);
    const Node grouped = reshape(x, {size(x, 0), size(x, 1), width / group, group});
    return reshape(layers_.layer_norm("norm_" + part, grouped, factor), {size(x, 0), size(x, 1), width});
  }

  // A third of the joint layer, so that nothing large is cut apart.
  [[nodiscard]] Node part_of_qkv(const std::string& part, const Node& x, float factor) const {
    const std::int64_t out = plan_.dim_attention, in = plan_.dim_in;
    const std::ptrdiff_t which = part == "q" ? 0 : part == "k" ? 1 : 2;
    const auto third = [&](const Array& all, std::ptrdiff_t length) {
      std::vector<float> values(all.values.begin() + which * length, all.values.begin() + (which + 1) * length);
      for (float& value : values) value *= factor;
      return values;
    };
    const Array& weight = layers_.array("qkv.weight", {3 * out, in});
    const Node product = matmul(x, constant({out, in}, third(weight, out * in)), true);
    if (layers_.find("qkv.bias") == nullptr) return product;
    return add(product, constant({out}, third(layers_.array("qkv.bias", {3 * out}), out)));
  }

  const BlockPlan& plan_;
  const MvitOptions& options_;
  const Layers& layers_;
};

// [B,N,n*d] -> [B,n,N,d]
Node by_head(const Node& x, std::int64_t heads) {
  return transpose(reshape(x, {size(x, 0), size(x, 1), heads, size(x, 2) / heads}), {0, 2, 1, 3});
}

// The products of each query with the rows of its place on an axis, [B*n,T,H,W,keys] as [B,n,Nq,keys].
class PositionBias {
 public:
  PositionBias(const BlockPlan& plan, const Layers& layers, const Triple& grid_q, const Triple& grid_k)
      : plan_(plan), layers_(layers), q_(grid_q), k_(grid_k) {}

  // queries [B,n,Nq,d]; the parts in the order of key_places.
  [[nodiscard]] std::vector<Node> parts(const Node& queries) const {
    const std::int64_t d = size(queries, 3), slices = size(queries, 0) * size(queries, 1);
    std::vector<Node> out;
    const auto as_queries = [&](const Node& x) {
      return reshape(x, {size(queries, 0), size(queries, 1), size(queries, 2), size(x, x.get_shape().size() - 1)});
    };
    if (plan_.rel_spatial_rows > 0) {
      const Node pictures = reshape(queries, {slices * q_[0], q_[1], q_[2], d});
      out.push_back(as_queries(matmul(pictures, rows("rel_pos_h", plan_.rel_spatial_rows, 1, d), true)));
      const Node turned =
          matmul(transpose(pictures, {0, 2, 1, 3}), rows("rel_pos_w", plan_.rel_spatial_rows, 2, d), true);
      out.push_back(as_queries(transpose(turned, {0, 2, 1, 3})));
    }
    if (plan_.rel_temporal_rows > 0) {
      const Node frames = reshape(queries, {slices, q_[0], std::int64_t{q_[1]} * q_[2], d});
      out.push_back(as_queries(matmul(frames, rows("rel_pos_t", plan_.rel_temporal_rows, 0, d), true)));
    }
    return out;
  }

 private:
  [[nodiscard]] Node rows(const std::string& table, int count, std::size_t axis, std::int64_t d) const {
    return constant({1, q_[axis], k_[axis], d}, relative_rows(layers_.array(table, {count, d}), q_[axis], k_[axis]));
  }

  const BlockPlan& plan_;
  const Layers& layers_;
  Triple q_, k_;
};

// Joins the class token's row with the patches', [B,n,N(+1),d].
Node joined(const TokenNodes& x, std::int64_t heads) {
  return x.cls ? concat({by_head(*x.cls, heads), by_head(*x.patches, heads)}, 2) : by_head(*x.patches, heads);
}

Array zero_row_before(Array rows) {
  rows.values.insert(rows.values.begin(), static_cast<std::size_t>(rows.shape[1]), 0.0F);
  ++rows.shape[0];
  return rows;
}

}  // namespace

TokenNodes pooling_attention(const TokenNodes& x, const BlockPlan& plan, const MvitOptions& options,
                             const Layers& layers, bool patches) {
  const Attention attention(plan, options, layers);
  const std::int64_t batch = size(*x.patches, 0), heads = plan.heads, d = plan.head_dim();
  TokenNodes asked = x;
  if (!patches) asked.patches = std::nullopt;
  const TokenNodes q = attention.part("q", asked, plan.pool_q, 1.0F);
  const TokenNodes k =
      attention.part("k", x, plan.pool_kv, static_cast<float>(1.0 / std::sqrt(static_cast<double>(d))));
  const Node values = joined(attention.part("v", x, plan.pool_kv, 1.0F), heads);
  Node keys = joined(k, heads);
  const bool spatial = plan.rel_spatial_rows > 0, temporal = plan.rel_temporal_rows > 0;
  std::int64_t extra = 0;  // columns of position bias
  if (spatial || temporal) {
    Array places = key_places(k.grid, spatial, temporal);
    if (x.cls) places = zero_row_before(std::move(places));
    extra = places.shape[1];
    places.shape.insert(places.shape.begin(), {1, 1});
    keys = concat({keys, broadcast(constant(places), {batch, heads, places.shape[2], extra})}, 3);
  }
  const auto attended = [&](const Node& queries, const Node& residual, bool add_residual) {
    Node out = transpose(matmul(softmax(matmul(queries, keys, true)), values, false), {0, 2, 1, 3});
    out = reshape(out, {batch, size(queries, 2), heads * d});
    return layers.linear("proj", add_residual ? add(out, residual) : out, plan.dim_attention);
  };
  TokenNodes out{.cls = {}, .patches = {}, .grid = q.grid};
  if (q.cls) {
    Node queries = by_head(*q.cls, heads);
    if (extra > 0) {
      const std::vector<float> zeros(static_cast<std::size_t>(batch * heads * extra));
      queries = concat({queries, constant({batch, heads, 1, extra}, zeros)}, 3);
    }
    out.cls = attended(queries, *q.cls, false);  // the class token gets no residual
  }
  if (q.patches) {
    Node queries = by_head(*q.patches, heads);
    if (extra > 0) {
      std::vector<Node> parts = PositionBias(plan, layers, q.grid, k.grid).parts(queries);
      parts.insert(parts.begin(), queries);
      queries = concat(parts, 3);
    }
    out.patches = attended(queries, *q.patches, options.residual_pooling);
  }
  return out;
}

TokenNodes pool_skip(const TokenNodes& x, const Pooling& pooling) {
  TokenNodes out{.cls = x.cls, .patches = {}, .grid = pooled_grid(x.grid, pooling)};
  if (x.patches)
    out.patches = over_grid(*x.patches, x.grid, [&](const Node& volume) { return max_pooled(volume, pooling); });
  return out;
}

Node pool_as_query(const Node& x, const Triple& grid, const BlockPlan& plan, const MvitOptions& options,
                   const Layers& layers) {
  const TokenNodes tokens{.cls = {}, .patches = x, .grid = grid};
  return *Attention(plan, options, layers).pool("q", tokens, plan.pool_q, 1.0F).patches;
}

}  // namespace reeltag::model

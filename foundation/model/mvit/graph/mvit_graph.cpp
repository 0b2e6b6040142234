#include "reeltag/model/mvit_graph.hpp"

#include <openvino/openvino.hpp>
#include <openvino/opsets/opset8.hpp>

#include "pooling_attention.hpp"
#include "positions.hpp"
#include "reeltag/model/clip_grid.hpp"
#include "reversible_graph.hpp"

namespace reeltag::model {
namespace {

namespace op = ov::opset8;

void check_size(const Plan& plan, const ClipSize& size) {
  if (size.batch >= 1 && fits(plan, {size.frames, size.height, size.width})) return;
  throw Exception(Code::invalid_argument, "the net's stem and pooling do not fit " + std::to_string(size.frames) +
                                              " frames of " + std::to_string(size.width) + "x" +
                                              std::to_string(size.height) + " pixels");
}

// [B,channels,T,H,W], or [B,channels,H,W] of an image net -> [B,N,C].
Node patch_embedding(const Plan& plan, const Layers& layers, const Node& clips) {
  const auto& m = plan.recipe.mvit;
  Axes shape{m.embed_dim, plan.recipe.data.input_channel_num[0]};
  shape.insert(shape.end(), m.patch_kernel.begin(), m.patch_kernel.end());
  const ov::CoordinateDiff pads(m.patch_padding.begin(), m.patch_padding.end());
  const ov::Strides strides(m.patch_stride.begin(), m.patch_stride.end());
  Node x = std::make_shared<op::Convolution>(clips, constant(layers.array("patch_embed.proj.weight", shape)), strides,
                                             pads, pads, ov::Strides(strides.size(), 1));
  const Array& bias = layers.array("patch_embed.proj.bias", {m.embed_dim});
  Axes bias_shape(shape.size(), 1);
  bias_shape[1] = m.embed_dim;
  x = add(x, constant(bias_shape, bias.values));
  return shape.size() == 5 ? reshape(transpose(x, {0, 2, 3, 4, 1}), {size(x, 0), -1, m.embed_dim})
                           : reshape(transpose(x, {0, 2, 3, 1}), {size(x, 0), -1, m.embed_dim});
}

// The table's rows [first, first + count) as [1,count,C], times factor.
Node position_rows(const Array& table, std::int64_t first, std::int64_t count, float factor) {
  const std::int64_t width = table.shape.at(2);
  std::vector<float> rows(table.values.begin() + first * width, table.values.begin() + (first + count) * width);
  for (float& value : rows) value *= factor;
  return constant({1, count, width}, rows);
}

TokenNodes stem(const Plan& plan, const Weights& weights, const Node& clips, const ClipSize& size_of_clips) {
  const auto& m = plan.recipe.mvit;
  const Layers layers(weights);
  TokenNodes x{.cls = {},
               .patches = patch_embedding(plan, layers, clips),
               .grid = stem_grid(m, {size_of_clips.frames, size_of_clips.height, size_of_clips.width})};
  const std::int64_t cls = m.cls_embed_on ? 1 : 0, batch = size(*x.patches, 0), patches = size(*x.patches, 1);
  if (m.cls_embed_on) x.cls = constant(layers.array("cls_token", {1, 1, m.embed_dim}));
  if (const Array table = absolute_positions(plan, weights, x.grid); !table.values.empty()) {
    const float times = m.use_fixed_sincos_pos ? 2.0F : 1.0F;  // the reference adds such a table twice
    x.patches = add(*x.patches, position_rows(table, cls, patches, times));
    if (x.cls) x.cls = add(*x.cls, position_rows(table, 0, 1, times));
  }
  if (x.cls) x.cls = broadcast(*x.cls, {batch, 1, m.embed_dim});
  if (!m.norm_stem) return x;
  x.patches = layers.layer_norm("norm_stem", *x.patches);
  if (x.cls) x.cls = layers.layer_norm("norm_stem", *x.cls);
  return x;
}

class Block {
 public:
  Block(const BlockPlan& plan, const MvitOptions& options, const Layers& layers)
      : plan_(plan), options_(options), layers_(layers) {}

  // Without `patches` only the class token goes on.
  [[nodiscard]] TokenNodes forward(const TokenNodes& x, bool patches) const {
    TokenNodes skip = x;
    TokenNodes normed = each(x, [&](const Node& n) { return layers_.layer_norm("norm1", n); });
    const TokenNodes attended = pooling_attention(normed, plan_, options_, layers_.below("attn"), patches);
    if (!patches) skip.patches = normed.patches = std::nullopt;
    // Both projected skips start from the normalised input, as the published weights expect.
    if (options_.dim_mul_in_att && widens()) skip = each(normed, [&](const Node& n) { return widened(n); });
    if (plan_.pool_skip) skip = pool_skip(skip, *plan_.pool_skip);
    TokenNodes out{.cls = {}, .patches = {}, .grid = attended.grid};
    if (attended.cls) out.cls = mixed(add(*skip.cls, *attended.cls));
    if (attended.patches) out.patches = mixed(add(*skip.patches, *attended.patches));
    return out;
  }

 private:
  [[nodiscard]] bool widens() const { return plan_.dim_in != plan_.dim_out; }
  [[nodiscard]] Node widened(const Node& x) const { return layers_.linear("proj", x, plan_.dim_out); }

  template <class Op>
  [[nodiscard]] static TokenNodes each(TokenNodes x, const Op& run) {
    if (x.cls) x.cls = run(*x.cls);
    if (x.patches) x.patches = run(*x.patches);
    return x;
  }

  [[nodiscard]] Node mixed(const Node& x) const {
    const Node z = layers_.layer_norm("norm2", x);
    const Node residual = !options_.dim_mul_in_att && widens() ? widened(z) : x;
    return add(residual, mlp(layers_.below("mlp"), z, plan_.mlp_hidden, plan_.dim_out));
  }

  const BlockPlan& plan_;
  const MvitOptions& options_;
  Layers layers_;
};

// -> [B,dim_out]
Node embedding(const Plan& plan, const Weights& weights, TokenNodes x) {
  const auto& m = plan.recipe.mvit;
  const Layers layers(weights);
  const bool class_only = m.cls_embed_on && !m.use_mean_pooling;
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const bool patches = !class_only || i + 1 < plan.blocks.size();
    x = Block(plan.blocks[i], m, layers.below("blocks").below(std::to_string(i))).forward(x, patches);
  }
  if (m.use_mean_pooling) return layers.layer_norm("norm", mean(*x.patches, 1));
  if (class_only) return reshape(layers.layer_norm("norm", *x.cls), {size(*x.cls, 0), plan.dim_out});
  return mean(layers.layer_norm("norm", *x.patches), 1);
}

Node reversible_embedding(const Plan& plan, const Weights& weights, const TokenNodes& x) {
  const Layers layers(weights);
  const Node trunk = reversible_trunk(plan, layers.below("rev_backbone"), *x.patches, x.grid);
  const auto fused = [&](const Node& n) { return fuse_streams(*plan.fusion, layers.below("fuse"), n); };
  if (plan.recipe.mvit.use_mean_pooling) return layers.layer_norm("norm", mean(fused(trunk), 1));
  return mean(fused(layers.layer_norm("norm", trunk)), 1);
}

}  // namespace

ClipSize trained_size(const Plan& plan, int batch) {
  const auto& data = plan.recipe.data;
  return {.batch = batch,
          .frames = plan.recipe.is_image() ? 1 : data.num_frames,
          .height = data.train_crop_size,
          .width = data.train_crop_size};
}

infer::Graph mvit_graph(const Plan& plan, const Weights& weights, const ClipSize& size_of_clips) try {
  if (plan.recipe.is_pretraining())
    throw Exception(Code::unsupported, "MODEL.MODEL_NAME MaskMViT: this net predicts hidden tokens and has no classes");
  check_size(plan, size_of_clips);
  const auto axis = [](int n) { return static_cast<std::size_t>(n); };
  ov::Shape shape{axis(size_of_clips.batch), axis(plan.recipe.data.input_channel_num[0]), axis(size_of_clips.frames),
                  axis(size_of_clips.height), axis(size_of_clips.width)};
  const auto clips = std::make_shared<op::Parameter>(ov::element::f32, shape);
  clips->output(0).set_names({"clips"});
  // A 2-D stem reads pictures.
  const Node pixels = plan.recipe.mvit.patch_2d
                          ? reshape(clips, {size_of_clips.batch, plan.recipe.data.input_channel_num[0],
                                            size_of_clips.height, size_of_clips.width})
                          : Node(clips);
  const TokenNodes tokens = stem(plan, weights, pixels, size_of_clips);
  Node features = plan.reversible() ? reversible_embedding(plan, weights, tokens) : embedding(plan, weights, tokens);
  Node logits = Layers(weights).linear("head.projection", features, plan.recipe.model.num_classes);
  logits.add_names({"logits"});
  features.add_names({"embedding"});
  return infer::Graph(
      std::make_shared<ov::Model>(ov::OutputVector{logits, features}, ov::ParameterVector{clips}, "mvit"));
} catch (const ov::Exception& e) {
  throw Exception(Code::corrupt, std::string("the recipe's net cannot be written as a graph: ") + e.what());
}

}  // namespace reeltag::model

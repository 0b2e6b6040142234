#include "net.hpp"

#include <cmath>

namespace reeltag::model {

using torch::Tensor;

namespace {
// Positions of one axis, [n, width]: sin of all frequencies, then cos; float64.
Tensor sincos_axis(const Tensor& position, int width) {
  const auto k = torch::arange(width / 2, torch::kDouble) / (width / 2.0);
  const Tensor angle = torch::outer(position, torch::pow(10000.0, -k));
  return torch::cat({angle.sin(), angle.cos()}, 1);
}

// Learned positions of another grid than the trained one: time linearly, space bicubically, as a checkpoint's are when
// loaded. [1,H*W,C] and [1,T,C] -> [1,T*H*W,C] over g.
Tensor separate_positions(Tensor spatial, Tensor temporal, const Triple& trained, const Triple& g) {
  const std::int64_t width = spatial.size(2), t = g[0], h = g[1], w = g[2];
  if (trained[1] != g[1] || trained[2] != g[2]) {
    const Tensor map = spatial.reshape({1, trained[1], trained[2], width}).permute({0, 3, 1, 2});
    spatial = torch::upsample_bicubic2d(map, {h, w}, /*align_corners=*/false).flatten(2).transpose(1, 2);
  }
  if (trained[0] != g[0])
    temporal = torch::upsample_linear1d(temporal.transpose(1, 2), {t}, /*align_corners=*/false).transpose(1, 2);
  return spatial.repeat({1, t, 1}) + temporal.repeat_interleave(h * w, 1);
}

// One table over the whole grid, resampled trilinearly; the class token's row, where there is one, stays.
// Source: slowfast/models/video_model_builder.py@287ec007, MViT._get_pos_embed.
Tensor joint_positions(const Tensor& table, const Triple& trained, const Triple& g, bool class_token) {
  const std::int64_t cls = class_token ? 1 : 0, width = table.size(2);
  const Tensor volume = table.narrow(1, cls, table.size(1) - cls)
                            .reshape({1, trained[0], trained[1], trained[2], width})
                            .permute({0, 4, 1, 2, 3});
  Tensor positions = torch::upsample_trilinear3d(volume, {g[0], g[1], g[2]}, /*align_corners=*/false);
  positions = positions.flatten(2).transpose(1, 2);
  return class_token ? torch::cat({table.narrow(1, 0, 1), positions}, 1) : positions;
}
}  // namespace

Tensor sincos_positions(int width, const Triple& grid, bool class_token) {
  const std::int64_t t = grid[0], h = grid[1], w = grid[2];
  const int temporal = width / 4, axis = width * 3 / 8;
  const auto column = torch::arange(w, torch::kDouble).repeat({h});
  const auto row = torch::arange(h, torch::kDouble).repeat_interleave(w);
  // The column's half comes first, whatever the names upstream say.
  const Tensor spatial = torch::cat({sincos_axis(column, axis), sincos_axis(row, axis)}, 1);  // [h*w, 3D/4]
  const Tensor time = sincos_axis(torch::arange(t, torch::kDouble), temporal);                // [t, D/4]
  Tensor table =
      torch::cat({time.unsqueeze(1).expand({t, h * w, temporal}), spatial.unsqueeze(0).expand({t, h * w, 2 * axis})}, 2)
          .reshape({t * h * w, width});
  if (class_token) table = torch::cat({torch::zeros({1, width}, torch::kDouble), table}, 0);
  return table.to(torch::kFloat).unsqueeze(0);
}

NetImpl::NetImpl(const Plan& plan) : plan_(plan) {
  const auto& m = plan.recipe.mvit;
  const Triple& g = plan.grid;
  const std::int64_t patches = static_cast<std::int64_t>(g[0]) * g[1] * g[2];
  if (m.cls_embed_on) cls_token_ = register_parameter("cls_token", torch::zeros({1, 1, m.embed_dim}));
  if (m.use_abs_pos && m.sep_pos_embed) {
    pos_spatial_ = register_parameter("pos_embed_spatial", torch::zeros({1, g[1] * g[2], m.embed_dim}));
    pos_temporal_ = register_parameter("pos_embed_temporal", torch::zeros({1, g[0], m.embed_dim}));
    if (m.cls_embed_on) pos_class_ = register_parameter("pos_embed_class", torch::zeros({1, 1, m.embed_dim}));
  } else if (m.use_abs_pos) {
    pos_embed_ = register_parameter("pos_embed", torch::zeros({1, patches + (m.cls_embed_on ? 1 : 0), m.embed_dim}),
                                    !m.use_fixed_sincos_pos);
  }
  std::vector<std::int64_t> kernel{m.embed_dim, plan.recipe.data.input_channel_num[0]};
  kernel.insert(kernel.end(), m.patch_kernel.begin(), m.patch_kernel.end());
  auto patch_embed = register_module("patch_embed", std::make_shared<torch::nn::Module>("PatchEmbed"));
  auto proj = patch_embed->register_module("proj", std::make_shared<torch::nn::Module>("Conv"));
  patch_weight_ = proj->register_parameter("weight", torch::zeros(kernel));
  patch_bias_ = proj->register_parameter("bias", torch::zeros({m.embed_dim}));
  const auto layer_norm = [](int width) {
    return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
  };
  if (m.norm_stem) norm_stem_ = register_module("norm_stem", layer_norm(m.embed_dim));
  if (plan.reversible()) {
    trunk_ = register_module("rev_backbone", ReversibleTrunk(plan));
    fuse_ = register_module("fuse", StreamFusion(*plan.fusion, 2 * plan.blocks.back().dim_out));
  } else {
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    for (const auto& block : plan.blocks) {
      blocks_.emplace_back(block, m);
      blocks->push_back(blocks_.back());
    }
  }
  norm_ = register_module("norm", layer_norm(plan.dim_out));
  auto head = register_module("head", std::make_shared<torch::nn::Module>("Head"));
  projection_ = head->register_module("projection", torch::nn::Linear(plan.dim_out, plan.recipe.model.num_classes));
}

void NetImpl::tell(const std::string& where, const Tensor& output) const {
  if (observer) observer(where, output);
}

void NetImpl::recompute_activations(bool on) {
  if (!trunk_.is_empty()) trunk_->recompute = on;
}

NetImpl::Tokens NetImpl::patch_tokens(const Tensor& clips) {
  const auto& m = plan_.recipe.mvit;
  const std::vector<std::int64_t> stride(m.patch_stride.begin(), m.patch_stride.end());
  const std::vector<std::int64_t> padding(m.patch_padding.begin(), m.patch_padding.end());
  Tensor patches = m.patch_2d ? torch::conv2d(clips, patch_weight_, patch_bias_, stride, padding).unsqueeze(2)
                              : torch::conv3d(clips, patch_weight_, patch_bias_, stride, padding);  // [B,C,T,H,W]
  const auto axis = [&](std::int64_t a) { return static_cast<int>(patches.size(a)); };
  const Triple grid{axis(2), axis(3), axis(4)};
  return {patches.flatten(2).transpose(1, 2), grid};
}

Tensor NetImpl::absolute_positions(const Triple& g) const {
  const auto& m = plan_.recipe.mvit;
  const Triple& trained = plan_.grid;
  if (pos_spatial_.defined()) {
    Tensor positions = separate_positions(pos_spatial_, pos_temporal_, trained, g);
    return m.cls_embed_on ? torch::cat({pos_class_, positions}, 1) : positions;
  }
  if (!pos_embed_.defined() || g == trained) return pos_embed_;
  if (m.use_fixed_sincos_pos) return sincos_positions(m.embed_dim, g, m.cls_embed_on).to(pos_embed_.options());
  return joint_positions(pos_embed_, trained, g, m.cls_embed_on);
}

Tensor NetImpl::with_positions(const Tokens& patches) {
  const auto& m = plan_.recipe.mvit;
  Tensor x = patches.x;
  const std::int64_t cls = m.cls_embed_on ? 1 : 0;
  const Tensor positions = absolute_positions(patches.grid);
  // The reference adds a sine-cosine table twice: here without the class row, and again below.
  if (m.use_fixed_sincos_pos) x = x + positions.narrow(1, cls, positions.size(1) - cls);
  if (m.cls_embed_on) {
    Tensor token = cls_token_;
    if (m.use_fixed_sincos_pos) token = token + positions.narrow(1, 0, 1);
    x = torch::cat({token.expand({x.size(0), 1, m.embed_dim}), x}, 1);
  }
  if (positions.defined()) x = x + positions;
  x = torch::dropout(x, m.dropout_rate, is_training());
  return norm_stem_.is_empty() ? x : norm_stem_(x);
}

Tensor NetImpl::embed_blocks(Tokens tokens) {
  const auto& m = plan_.recipe.mvit;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    auto out = blocks_[i]->forward(tokens.x, tokens.grid);
    tokens = {out.tokens, out.grid};
    tell("block" + std::to_string(i) + "_attn", out.attention);
    tell("block" + std::to_string(i), tokens.x);
  }
  Tensor x = tokens.x;
  if (m.use_mean_pooling) {
    const std::int64_t cls = m.cls_embed_on ? 1 : 0;
    x = norm_(x.narrow(1, cls, x.size(1) - cls).mean(1));
    tell("norm", x);
    return x;
  }
  x = norm_(x);
  tell("norm", x);
  return m.cls_embed_on ? x.select(1, 0) : x.mean(1);
}

Tensor NetImpl::embed_reversible(const Tokens& tokens) {
  Tensor x = trunk_->forward(tokens.x, tokens.grid,
                             [&](const std::string& where, const Tensor& output) { tell(where, output); });
  tell("rev_backbone", x);
  const bool mean_first = plan_.recipe.mvit.use_mean_pooling;
  x = norm_(mean_first ? fuse_(x).mean(1) : x);
  tell("norm", x);
  return mean_first ? x : fuse_(x).mean(1);
}

Tensor NetImpl::embed(const Tensor& clips) {
  const Tokens patches = patch_tokens(clips);
  tell("patch_embed", patches.x);
  const Tokens tokens{with_positions(patches), patches.grid};
  return plan_.reversible() ? embed_reversible(tokens) : embed_blocks(tokens);
}

Tensor NetImpl::forward(const Tensor& clips) {
  Tensor x = torch::dropout(embed(clips), plan_.recipe.model.dropout_rate, is_training());
  if (plan_.recipe.model.detach_final_fc) x = x.detach();
  return projection_(x);
}

}  // namespace reeltag::model

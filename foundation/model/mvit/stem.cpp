#include "stem.hpp"

#include "block.hpp"
#include "drawing.hpp"
#include "positions.hpp"

namespace reeltag::model {

using torch::Tensor;

StemImpl::StemImpl(const Plan& plan) : plan_(plan) {
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
  if (m.norm_stem) norm_stem_ = register_module("norm_stem", layer_norm(m.embed_dim));
}

void StemImpl::tell(const std::string& where, const Tensor& output) const {
  if (observer) observer(where, output);
}

Tokens StemImpl::patch_tokens(const Tensor& clips) {
  const auto& m = plan_.recipe.mvit;
  const std::vector<std::int64_t> stride(m.patch_stride.begin(), m.patch_stride.end());
  const std::vector<std::int64_t> padding(m.patch_padding.begin(), m.patch_padding.end());
  Tensor patches = m.patch_2d ? torch::conv2d(clips, patch_weight_, patch_bias_, stride, padding).unsqueeze(2)
                              : torch::conv3d(clips, patch_weight_, patch_bias_, stride, padding);  // [B,C,T,H,W]
  const auto axis = [&](std::int64_t a) { return static_cast<int>(patches.size(a)); };
  const Triple grid{axis(2), axis(3), axis(4)};
  return {patches.flatten(2).transpose(1, 2), grid};
}

Tensor StemImpl::absolute_positions(const Triple& g) const {
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

Tensor StemImpl::with_positions(const Tokens& patches) {
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
  x = draw_dropout(x, m.dropout_rate, is_training());
  return norm_stem_.is_empty() ? x : norm_stem_(x);
}

}  // namespace reeltag::model

#include "reeltag/model/plan.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "plan_parts.hpp"

namespace reeltag::model {
namespace {

[[noreturn]] void unsupported(const std::string& message) { throw Exception(Code::unsupported, message); }

void check_reversible(const MvitOptions& m) {
  const std::set<int> transitions(m.rev_buffer_layers.begin(), m.rev_buffer_layers.end());
  if (m.rev_res_path != "conv") bad("MVIT.REV.RES_PATH must be conv, not " + m.rev_res_path);
  for (const int layer : transitions) {
    if (layer < 0 || layer >= m.depth)
      bad("MVIT.REV.BUFFER_LAYERS names layer " + std::to_string(layer) + " of " + std::to_string(m.depth));
    if (layer == 0 || layer == m.depth - 1 || transitions.count(layer - 1) > 0)
      bad("MVIT.REV.BUFFER_LAYERS: layer " + std::to_string(layer) + " needs a reversible layer before and behind it");
  }
  if (!m.use_mean_pooling && !plan_fusion(m.rev_respath_fuse, 1, "MVIT.REV.RESPATH_FUSE").keeps_both())
    bad("MVIT.REV.RESPATH_FUSE " + m.rev_respath_fuse + " needs MVIT.USE_MEAN_POOLING True");
}

void check_masked(const Recipe& recipe) {
  const auto& mask = recipe.mask;
  if (recipe.mvit.rev_enable) bad("MODEL.MODEL_NAME MaskMViT: the trunk cannot be reversible");
  if (!mask.mae_on && !mask.pred_hog) unsupported("MASK: pixels are predicted with MASK.MAE_ON True only");
  if (mask.pretrain_depth.empty()) bad("MASK.PRETRAIN_DEPTH must name a block");
  for (const int block : mask.pretrain_depth) {
    if (block < 0 || block >= recipe.mvit.depth)
      bad("MASK.PRETRAIN_DEPTH names block " + std::to_string(block) + " of " + std::to_string(recipe.mvit.depth));
  }
  if (mask.head_type != "separate" && mask.head_type != "separate_xformer")
    bad("MASK.HEAD_TYPE must be separate or separate_xformer, not " + mask.head_type);
  if (mask.decoder_depth < 0 || mask.decoder_depth > 1000) bad("MASK.DECODER_DEPTH must be 0 to 1000");
  const bool pools = !recipe.mvit.pool_q_stride.empty() || !recipe.mvit.pool_kv_stride.empty() ||
                     recipe.mvit.pool_kv_stride_adaptive.has_value();
  if (mask.mae_on && (pools || recipe.mvit.rel_pos_spatial || recipe.mvit.rel_pos_temporal))
    unsupported("MASK.MAE_ON: a masked autoencoder's trunk has no pooling and no relative positions");
  if (!mask.mae_on && mask.head_type != "separate")
    unsupported("MASK.HEAD_TYPE " + mask.head_type + " needs MASK.MAE_ON True");
  if (mask.decoder_embed_dim < 64 || mask.decoder_embed_dim % 64 != 0)
    bad("MASK.DECODER_EMBED_DIM must be a multiple of 64, the width of its heads");
}

void check(const Recipe& recipe) {
  const auto& m = recipe.mvit;
  if (recipe.model.model_name != "MViT" && !recipe.is_pretraining())
    bad("MODEL.MODEL_NAME must be MViT or MaskMViT, not " + recipe.model.model_name);
  if (recipe.detection_enable) unsupported("DETECTION.ENABLE: the detection head is not built; set it to False");
  if (recipe.is_pretraining()) check_masked(recipe);
  if (m.mode == "conv_unshared") {
    if (!m.pool_first) bad("MVIT.MODE conv_unshared needs MVIT.POOL_FIRST True");
  } else if (m.mode != "conv" && m.mode != "avg" && m.mode != "max") {
    bad("MVIT.MODE must be conv, avg, max or conv_unshared, not " + m.mode);
  }
  if (m.rev_enable) check_reversible(m);
  if (m.norm != "layernorm") bad("MVIT.NORM must be layernorm, not " + m.norm);
  if (m.depth < 1 || m.depth > 1000) bad("MVIT.DEPTH must be 1 to 1000");
  if (m.embed_dim < 1 || m.embed_dim > 65536) bad("MVIT.EMBED_DIM must be 1 to 65536");
  if (m.num_heads < 1 || m.num_heads > 4096) bad("MVIT.NUM_HEADS must be 1 to 4096");
  if (!(m.mlp_ratio > 0 && m.mlp_ratio <= 64)) bad("MVIT.MLP_RATIO must be above 0 and at most 64");
  if (recipe.model.num_classes < 1) bad("MODEL.NUM_CLASSES must be at least 1");
  if (recipe.data.train_crop_size != recipe.data.test_crop_size) {
    bad("DATA.TRAIN_CROP_SIZE and DATA.TEST_CROP_SIZE must be equal: the net's grid depends on them");
  }
  const std::size_t axes = m.patch_2d ? 2 : 3;
  if (m.patch_kernel.size() != axes || m.patch_stride.size() != axes || m.patch_padding.size() != axes) {
    bad("MVIT.PATCH_KERNEL, PATCH_STRIDE and PATCH_PADDING need " + std::to_string(axes) + " entries");
  }
  if (m.patch_2d && recipe.data.num_frames != 1) bad("MVIT.PATCH_2D needs DATA.NUM_FRAMES 1");
  if (recipe.data.input_channel_num.empty()) bad("DATA.INPUT_CHANNEL_NUM must have an entry");
  if (m.use_fixed_sincos_pos && (!m.use_abs_pos || m.sep_pos_embed)) {
    bad("MVIT.USE_FIXED_SINCOS_POS needs USE_ABS_POS True and SEP_POS_EMBED False");
  }
  if (m.use_fixed_sincos_pos && m.embed_dim % 16 != 0) bad("MVIT.USE_FIXED_SINCOS_POS needs EMBED_DIM divisible by 16");
}

// One axis of the stem: the convolution must give exactly size/stride tokens, as the reference insists.
int patch_axis(int size, int kernel, int stride, int padding, const char* axis) {
  if (kernel < 1 || stride < 1 || padding < 0 || size < 1) bad(std::string("MVIT.PATCH_*: bad value along ") + axis);
  const int want = size / stride;
  const int got = size + 2 * padding < kernel ? 0 : (size + 2 * padding - kernel) / stride + 1;
  if (want != got || want < 1) {
    bad(std::string("the stem gives ") + std::to_string(got) + " tokens along " + axis + " and must give " +
        std::to_string(want) + " (input " + std::to_string(size) +
        "): check DATA.NUM_FRAMES, DATA.TRAIN_CROP_SIZE and MVIT.PATCH_KERNEL, PATCH_STRIDE, PATCH_PADDING");
  }
  return want;
}

Triple patch_grid(const Recipe& recipe) {
  const auto& m = recipe.mvit;
  const int crop = recipe.data.train_crop_size;
  if (m.patch_2d) {
    return {1, patch_axis(crop, m.patch_kernel[0], m.patch_stride[0], m.patch_padding[0], "height"),
            patch_axis(crop, m.patch_kernel[1], m.patch_stride[1], m.patch_padding[1], "width")};
  }
  return {patch_axis(recipe.data.num_frames, m.patch_kernel[0], m.patch_stride[0], m.patch_padding[0], "time"),
          patch_axis(crop, m.patch_kernel[1], m.patch_stride[1], m.patch_padding[1], "height"),
          patch_axis(crop, m.patch_kernel[2], m.patch_stride[2], m.patch_padding[2], "width")};
}

}  // namespace

std::int64_t ParameterShape::count() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

Triple pooled_grid(const Triple& grid, const std::optional<Pooling>& pooling) {
  if (!pooling) return grid;
  Triple out{};
  for (std::size_t a = 0; a < 3; ++a) {
    const int k = pooling->kernel[a];
    out[a] = (grid[a] + 2 * (k / 2) - k) / pooling->stride[a] + 1;
  }
  return out;
}

int round_width(int width, float factor, int divisor) {
  if (factor == 0.0F) return width;
  const float scaled = static_cast<float>(width) * factor;
  const float half = static_cast<float>(divisor) / 2.0F;
  int rounded = std::max(1, static_cast<int>(scaled + half) / divisor * divisor);
  if (static_cast<double>(rounded) < 0.9 * static_cast<double>(scaled)) rounded += divisor;
  return rounded;
}

int Plan::prediction_width(std::size_t j) const {
  const auto& m = recipe.mvit;
  const std::size_t y = m.patch_stride.size() - 2;
  int height = m.patch_stride[y], width = m.patch_stride[y + 1];
  if (recipe.mask.mae_on) {
    const int frames = m.patch_2d || recipe.mask.time_stride_loss ? 1 : m.patch_stride[0];
    return recipe.data.input_channel_num[0] * frames * height * width;  // pixels of a patch
  }
  for (std::size_t i = 0; i <= static_cast<std::size_t>(recipe.mask.pretrain_depth.at(j)); ++i) {
    if (!blocks[i].pool_q) continue;
    height *= blocks[i].pool_q->stride[1];
    width *= blocks[i].pool_q->stride[2];
  }
  // 9 orientations of 3 colours in each cell of 8x8 pixels that the token covers.
  return 3 * 9 * (height / 8) * (width / 8);
}

Plan make_plan(const Recipe& recipe) {
  check(recipe);
  Plan plan;
  plan.recipe = recipe;
  plan.grid = patch_grid(recipe);
  plan.blocks = plan_blocks(recipe, plan.grid);
  if (recipe.is_pretraining()) {  // blocks after the last predicted one are not built
    const auto& depths = recipe.mask.pretrain_depth;
    plan.blocks.resize(static_cast<std::size_t>(*std::max_element(depths.begin(), depths.end())) + 1);
  }
  plan.dim_out = plan.blocks.back().dim_out;
  if (recipe.mvit.rev_enable) {
    plan.recipe.mvit.cls_embed_on = false;
    plan.fusion = plan_fusion(recipe.mvit.rev_respath_fuse, 2 * plan.dim_out, "MVIT.REV.RESPATH_FUSE");
    float factor = 1.0F;
    for (const auto& f : recipe.mvit.dim_mul) factor *= static_cast<float>(f.factor);
    if (round_width(recipe.mvit.embed_dim, factor, recipe.mvit.num_heads) != plan.dim_out)
      bad("MVIT.DIM_MUL: rounding gives the trunk's last layer another width than the head");
    if (plan.fusion->keeps_both()) plan.dim_out *= 2;
  }
  plan.parameters = plan_parameters(plan);
  for (const auto& p : plan.parameters) plan.parameter_count += p.count();
  plan.multiply_adds = count_multiply_adds(plan);
  return plan;
}

}  // namespace reeltag::model

#include "plan_parts.hpp"

namespace reeltag::model {
namespace {

// ---- parameters, in the order of the reference's state dict --------------------------------------------------------

class ParameterList {
 public:
  void add(const std::string& name, std::vector<std::int64_t> shape) { list_.push_back({name, std::move(shape)}); }
  void linear(const std::string& name, int out, int in, bool bias = true) {
    add(name + ".weight", {out, in});
    if (bias) add(name + ".bias", {out});
  }
  void norm(const std::string& name, int width) {
    add(name + ".weight", {width});
    add(name + ".bias", {width});
  }
  std::vector<ParameterShape> take() { return std::move(list_); }

 private:
  std::vector<ParameterShape> list_;
};

void add_positions(ParameterList& list, const MvitOptions& m, const Triple& grid) {
  const int cls = m.cls_embed_on ? 1 : 0;
  if (m.cls_embed_on) list.add("cls_token", {1, 1, m.embed_dim});
  if (!m.use_abs_pos) return;
  if (m.sep_pos_embed) {
    list.add("pos_embed_spatial", {1, grid[1] * grid[2], m.embed_dim});
    list.add("pos_embed_temporal", {1, grid[0], m.embed_dim});
    if (cls) list.add("pos_embed_class", {1, 1, m.embed_dim});
  } else {
    list.add("pos_embed", {1, grid[0] * grid[1] * grid[2] + cls, m.embed_dim});
  }
}

void add_attention(ParameterList& list, const std::string& name, const MvitOptions& m, const BlockPlan& b) {
  if (b.rel_spatial_rows > 0) {
    list.add(name + ".rel_pos_h", {b.rel_spatial_rows, b.head_dim()});
    list.add(name + ".rel_pos_w", {b.rel_spatial_rows, b.head_dim()});
  }
  if (b.rel_temporal_rows > 0) list.add(name + ".rel_pos_t", {b.rel_temporal_rows, b.head_dim()});
  if (m.separate_qkv || m.pool_first) {
    for (const char* part : {".q", ".k", ".v"}) list.linear(name + part, b.dim_attention, b.dim_in, m.qkv_bias);
  } else {
    list.linear(name + ".qkv", 3 * b.dim_attention, b.dim_in, m.qkv_bias);
  }
  list.linear(name + ".proj", b.dim_attention, b.dim_attention);
  if (!m.mode.starts_with("conv")) return;
  const auto pool = [&](const char* part, const std::optional<Pooling>& p) {
    if (!p) return;
    list.add(name + ".pool_" + part + ".weight", {b.pool_width, 1, p->kernel[0], p->kernel[1], p->kernel[2]});
    list.norm(name + ".norm_" + part, b.pool_width);
  };
  pool("q", b.pool_q);
  pool("k", b.pool_kv);
  pool("v", b.pool_kv);
}

void add_block(ParameterList& list, const std::string& name, const MvitOptions& m, const BlockPlan& b) {
  list.norm(name + ".norm1", b.dim_in);
  add_attention(list, name + ".attn", m, b);
  list.norm(name + ".norm2", b.dim_attention);
  list.linear(name + ".mlp.fc1", b.mlp_hidden, b.dim_attention);
  list.linear(name + ".mlp.fc2", b.dim_out, b.mlp_hidden);
  if (b.dim_in != b.dim_out) list.linear(name + ".proj", b.dim_out, b.dim_in);
}

void add_fusion(ParameterList& list, const std::string& name, const Fusion& fusion, int width) {
  if (fusion.hidden == 0) return;
  if (fusion.layer_norm) list.norm(name + ".fuse_fn.0", width);
  const std::string mlp = name + (fusion.layer_norm ? ".fuse_fn.1" : ".fuse_fn");
  list.linear(mlp + ".fc1", fusion.hidden, width);
  list.linear(mlp + ".fc2", width, fusion.hidden);
}

void add_reversible_layer(ParameterList& list, const std::string& name, const MvitOptions& m, const BlockPlan& b) {
  list.norm(name + ".F.norm", b.dim_in);
  add_attention(list, name + ".F.attn", m, b);
  list.norm(name + ".G.norm", b.dim_out);
  list.linear(name + ".G.mlp.fc1", b.mlp_hidden, b.dim_out);
  list.linear(name + ".G.mlp.fc2", b.dim_out, b.mlp_hidden);
  if (!b.transition) return;
  add_fusion(list, name + ".pre_q_fuse", *b.transition, b.dim_in);
  if (b.dim_in != b.dim_out) list.linear(name + ".res_proj", b.dim_out, b.dim_in);
}

// A decoder block: a trunk block of constant width without pooling.
void add_decoder_block(ParameterList& list, const std::string& name, int width) {
  BlockPlan b;
  b.dim_in = b.dim_out = b.dim_attention = width;
  b.mlp_hidden = 4 * width;
  add_block(list, name, MvitOptions{}, b);
}

// The prediction head of masked pre-training: per listed block a norm (after transformer blocks) and a projection.
void add_prediction_head(ParameterList& list, const Plan& plan) {
  const auto& mask = plan.recipe.mask;
  const bool transformer = mask.head_type == "separate_xformer";
  for (std::size_t j = 0; j < mask.pretrain_depth.size(); ++j) {
    const std::string name = "pred_head.transforms." + std::to_string(j);
    const auto& block = plan.blocks[static_cast<std::size_t>(mask.pretrain_depth[j])];
    const int width = mask.mae_on ? mask.decoder_embed_dim : block.dim_out;
    const int depth = transformer ? mask.decoder_depth : 0;
    for (int i = 0; i < depth; ++i) add_decoder_block(list, name + "." + std::to_string(i), width);
    list.norm(name + "." + std::to_string(depth), width);
  }
  for (std::size_t j = 0; j < mask.pretrain_depth.size(); ++j) {
    const auto& block = plan.blocks[static_cast<std::size_t>(mask.pretrain_depth[j])];
    list.linear("pred_head.projections." + std::to_string(j), plan.prediction_width(j),
                mask.mae_on ? mask.decoder_embed_dim : block.dim_out);
  }
}

void add_mask_token(ParameterList& list, const Plan& plan) {
  const auto& m = plan.recipe.mvit;
  const auto& mask = plan.recipe.mask;
  if (mask.mae_on && m.use_abs_pos) {
    const int cls = m.cls_embed_on ? 1 : 0, width = mask.decoder_embed_dim;
    if (mask.decoder_sep_pos_embed) {
      list.add("dec_pos_embed_spatial", {1, plan.grid[1] * plan.grid[2], width});
      list.add("dec_pos_embed_temporal", {1, plan.grid[0], width});
      if (cls) list.add("dec_pos_embed_class", {1, 1, width});
    } else {
      list.add("decoder_pos_embed", {1, plan.grid[0] * plan.grid[1] * plan.grid[2] + cls, width});
    }
  }
  list.add("mask_token", {1, 1, mask.mae_on ? mask.decoder_embed_dim : m.embed_dim});
}

void add_pretraining_tail(ParameterList& list, const Plan& plan) {
  add_prediction_head(list, plan);
  if (!plan.recipe.mask.mae_on) return;
  list.norm("norm", plan.dim_out);
  list.linear("decoder_embed", plan.recipe.mask.decoder_embed_dim, plan.dim_out);
}

}  // namespace

std::vector<ParameterShape> plan_parameters(const Plan& plan) {
  const auto& m = plan.recipe.mvit;
  ParameterList list;
  add_positions(list, m, plan.grid);
  if (plan.recipe.is_pretraining()) add_mask_token(list, plan);
  std::vector<std::int64_t> patch{m.embed_dim, plan.recipe.data.input_channel_num[0]};
  for (const int k : m.patch_kernel) patch.push_back(k);
  list.add("patch_embed.proj.weight", patch);
  list.add("patch_embed.proj.bias", {m.embed_dim});
  if (m.norm_stem) list.norm("norm_stem", m.embed_dim);
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const std::string number = std::to_string(i);
    if (plan.reversible()) {
      add_reversible_layer(list, "rev_backbone.layers." + number, m, plan.blocks[i]);
    } else {
      add_block(list, "blocks." + number, m, plan.blocks[i]);
    }
  }
  if (plan.recipe.is_pretraining()) {
    add_pretraining_tail(list, plan);
    return list.take();
  }
  if (plan.reversible()) add_fusion(list, "fuse", *plan.fusion, 2 * plan.blocks.back().dim_out);
  list.norm("norm", plan.dim_out);
  list.linear("head.projection", plan.recipe.model.num_classes, plan.dim_out);
  return list.take();
}

}  // namespace reeltag::model

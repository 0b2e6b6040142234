#include "reeltag/model/plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace reeltag::model {
namespace {

[[noreturn]] void bad(const std::string& message) { throw Exception(Code::invalid_config, message); }
[[noreturn]] void unsupported(const std::string& message) { throw Exception(Code::unsupported, message); }

double product(const Triple& t) { return static_cast<double>(t[0]) * t[1] * t[2]; }

std::string text(const Triple& t) {
  return std::to_string(t[0]) + "x" + std::to_string(t[1]) + "x" + std::to_string(t[2]);
}

void check(const Recipe& recipe) {
  const auto& m = recipe.mvit;
  if (m.rev_enable) unsupported("MVIT.REV.ENABLE: reversible nets are not built yet");
  if (recipe.model.model_name == "MaskMViT") unsupported("MODEL.MODEL_NAME MaskMViT: masked pre-training is not built");
  if (m.pool_first) unsupported("MVIT.POOL_FIRST: pooling before the projection is not built yet");
  if (m.mode == "conv_unshared") bad("MVIT.MODE conv_unshared needs MVIT.POOL_FIRST True");
  if (m.mode != "conv" && m.mode != "avg" && m.mode != "max") bad("MVIT.MODE must be conv, avg or max, not " + m.mode);
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

// DIM_MUL or HEAD_MUL as one factor per block; an index equal to DEPTH is legal.
std::vector<float> factors(const std::vector<Factor>& list, int depth, const char* key) {
  std::vector<float> out(static_cast<std::size_t>(depth) + 1, 1.0F);
  for (const auto& [block, factor] : list) {
    if (block < 0 || block > depth)
      bad(std::string(key) + " names block " + std::to_string(block) + " of " + std::to_string(depth));
    out[static_cast<std::size_t>(block)] = static_cast<float>(factor);
  }
  return out;
}

Pooling pooling_for(const Triple& stride, const std::optional<Triple>& kernel) {
  Pooling pooling{.kernel = {}, .stride = stride};
  for (std::size_t a = 0; a < 3; ++a) {
    pooling.kernel[a] = kernel ? (*kernel)[a] : (stride[a] > 1 ? stride[a] + 1 : stride[a]);
    if (stride[a] < 1 || pooling.kernel[a] < 1) bad("pooling strides and kernels must be at least 1");
  }
  return pooling;
}

// Strides of the query and key/value pooling per block; no entry means no pooling.
struct Strides {
  std::vector<std::optional<Triple>> q, kv;
};

Strides block_strides(const MvitOptions& m) {
  Strides s{std::vector<std::optional<Triple>>(static_cast<std::size_t>(m.depth)),
            std::vector<std::optional<Triple>>(static_cast<std::size_t>(m.depth))};
  const auto at = [&](std::vector<std::optional<Triple>>& list, const BlockStride& b, const char* key) -> auto& {
    if (b.block < 0 || b.block >= m.depth)
      bad(std::string(key) + " names block " + std::to_string(b.block) + " of " + std::to_string(m.depth));
    return list[static_cast<std::size_t>(b.block)];
  };
  for (const auto& b : m.pool_q_stride) at(s.q, b, "MVIT.POOL_Q_STRIDE") = b.stride;
  if (m.pool_kv_stride_adaptive) {
    Triple current = *m.pool_kv_stride_adaptive;
    for (std::size_t i = 0; i < s.q.size(); ++i) {
      if (s.q[i]) {
        for (std::size_t a = 0; a < 3; ++a) current[a] = std::max(current[a] / std::max((*s.q[i])[a], 1), 1);
      }
      s.kv[i] = current;
    }
  } else {
    for (const auto& b : m.pool_kv_stride) at(s.kv, b, "MVIT.POOL_KV_STRIDE") = b.stride;
  }
  return s;
}

// A pooling of kernel and stride 1 is dropped, and its norm with it.
std::optional<Pooling> effective(const std::optional<Triple>& stride, const std::optional<Triple>& kernel) {
  if (!stride) return std::nullopt;
  const Pooling pooling = pooling_for(*stride, kernel);
  if (product(pooling.kernel) == 1 && product(pooling.stride) == 1) return std::nullopt;
  return pooling;
}

// torch.linspace(0, last, depth)[block] in float32, which counts the second half from the end.
double drop_path_rate(int block, int depth, float last) {
  if (depth == 1) return 0.0;
  const float step = last / static_cast<float>(depth - 1);
  if (block < depth / 2) return step * static_cast<float>(block);
  return last - step * static_cast<float>(depth - 1 - block);
}

std::vector<BlockPlan> plan_blocks(const Recipe& recipe, const Triple& grid) {
  const auto& m = recipe.mvit;
  const auto dim_mul = factors(m.dim_mul, m.depth, "MVIT.DIM_MUL");
  const auto head_mul = factors(m.head_mul, m.depth, "MVIT.HEAD_MUL");
  const Strides strides = block_strides(m);
  std::vector<BlockPlan> blocks;
  int width = m.embed_dim;
  int heads = m.num_heads;
  Triple actual = grid;   // by the pooling formula
  Triple tracked = grid;  // by floor division: decides the size of the position tables only
  for (int i = 0; i < m.depth; ++i) {
    const auto at = static_cast<std::size_t>(i);
    heads = round_width(heads, head_mul[at], 1);
    const std::size_t mul_at = m.dim_mul_in_att ? at : at + 1;
    const int out = round_width(width, dim_mul[mul_at], round_width(heads, head_mul[mul_at], 1));

    BlockPlan b;
    b.dim_in = width;
    b.dim_out = out;
    b.dim_attention = m.dim_mul_in_att ? out : width;
    b.heads = heads;
    if (b.dim_attention % heads != 0) {
      bad("block " + std::to_string(i) + ": width " + std::to_string(b.dim_attention) + " cannot be divided among " +
          std::to_string(heads) + " heads; change MVIT.DIM_MUL or MVIT.HEAD_MUL");
    }
    b.mlp_hidden = static_cast<int>(b.dim_attention * m.mlp_ratio);
    b.pool_q = effective(strides.q[at], m.pool_kvq_kernel);
    b.pool_kv = effective(strides.kv[at], m.pool_kvq_kernel);
    if (strides.q[at] && product(*strides.q[at]) > 1) b.pool_skip = pooling_for(*strides.q[at], std::nullopt);
    b.grid_in = actual;
    b.grid_q = pooled_grid(actual, b.pool_q);
    b.grid_kv = pooled_grid(actual, b.pool_kv);
    if (std::min({b.grid_q[0], b.grid_q[1], b.grid_q[2], b.grid_kv[0], b.grid_kv[1], b.grid_kv[2]}) < 1) {
      bad("block " + std::to_string(i) + ": pooling leaves no token of the grid " + text(actual));
    }
    if (b.pool_skip && pooled_grid(actual, b.pool_skip) != b.grid_q) {
      bad("block " + std::to_string(i) + ": the skip path pools to " + text(pooled_grid(actual, b.pool_skip)) +
          " and the query to " + text(b.grid_q) + "; use odd kernels in MVIT.POOL_KVQ_KERNEL");
    }
    if (!b.pool_skip && b.grid_q != actual)
      bad("block " + std::to_string(i) + ": an even MVIT.POOL_KVQ_KERNEL changes the grid; use odd kernels");
    if (m.rel_pos_spatial) {
      const int q = strides.q[at] ? tracked[1] / (*strides.q[at])[1] : tracked[1];
      const int kv = strides.kv[at] ? tracked[1] / (*strides.kv[at])[1] : tracked[1];
      b.rel_spatial_rows = std::max(2 * std::max(q, kv) - 1, 1);
    }
    if (m.rel_pos_temporal) b.rel_temporal_rows = 2 * tracked[0] - 1;
    b.drop_path = drop_path_rate(i, m.depth, static_cast<float>(m.droppath_rate));
    if (strides.q[at]) {
      for (std::size_t a = 0; a < 3; ++a) tracked[a] = std::max(tracked[a] / (*strides.q[at])[a], 1);
    }
    actual = b.grid_q;
    width = out;
    blocks.push_back(b);
  }
  return blocks;
}

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
  const int d = b.head_dim();
  if (b.rel_spatial_rows > 0) {
    list.add(name + ".rel_pos_h", {b.rel_spatial_rows, d});
    list.add(name + ".rel_pos_w", {b.rel_spatial_rows, d});
  }
  if (b.rel_temporal_rows > 0) list.add(name + ".rel_pos_t", {b.rel_temporal_rows, d});
  if (m.separate_qkv) {
    for (const char* part : {".q", ".k", ".v"}) list.linear(name + part, b.dim_attention, b.dim_in, m.qkv_bias);
  } else {
    list.linear(name + ".qkv", 3 * b.dim_attention, b.dim_in, m.qkv_bias);
  }
  list.linear(name + ".proj", b.dim_attention, b.dim_attention);
  if (m.mode != "conv") return;
  const auto pool = [&](const char* part, const std::optional<Pooling>& p) {
    if (!p) return;
    list.add(name + ".pool_" + part + ".weight", {d, 1, p->kernel[0], p->kernel[1], p->kernel[2]});
    list.norm(name + ".norm_" + part, d);
  };
  pool("q", b.pool_q);
  pool("k", b.pool_kv);
  pool("v", b.pool_kv);
}

std::vector<ParameterShape> plan_parameters(const Plan& plan) {
  const auto& m = plan.recipe.mvit;
  ParameterList list;
  add_positions(list, m, plan.grid);
  std::vector<std::int64_t> patch{m.embed_dim, plan.recipe.data.input_channel_num[0]};
  for (const int k : m.patch_kernel) patch.push_back(k);
  list.add("patch_embed.proj.weight", patch);
  list.add("patch_embed.proj.bias", {m.embed_dim});
  if (m.norm_stem) list.norm("norm_stem", m.embed_dim);
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const auto& b = plan.blocks[i];
    const std::string name = "blocks." + std::to_string(i);
    list.norm(name + ".norm1", b.dim_in);
    add_attention(list, name + ".attn", m, b);
    list.norm(name + ".norm2", b.dim_attention);
    list.linear(name + ".mlp.fc1", b.mlp_hidden, b.dim_attention);
    list.linear(name + ".mlp.fc2", b.dim_out, b.mlp_hidden);
    if (b.dim_in != b.dim_out) list.linear(name + ".proj", b.dim_out, b.dim_in);
  }
  list.norm("norm", plan.dim_out);
  list.linear("head.projection", plan.recipe.model.num_classes, plan.dim_out);
  return list.take();
}

// ---- multiply-adds
// ---------------------------------------------------------------------------------------------------

void add_block_macs(MultiplyAdds& macs, const MvitOptions& m, const BlockPlan& b, double cls) {
  const double in = product(b.grid_in), q = product(b.grid_q), kv = product(b.grid_kv);
  const double a = b.dim_attention;
  macs.layer_norm += 5 * (in + cls) * b.dim_in;
  macs.linear += (in + cls) * b.dim_in * 3 * a;
  const auto pool = [&](const std::optional<Pooling>& p, double tokens) {
    if (!p || m.mode != "conv") return;
    macs.conv += tokens * a * product(p->kernel);
    macs.layer_norm += 5 * (tokens + cls) * a;
  };
  pool(b.pool_q, q);
  pool(b.pool_kv, kv);
  pool(b.pool_kv, kv);
  macs.matmul += 2 * (q + cls) * (kv + cls) * a;
  if (b.rel_spatial_rows > 0) macs.einsum += q * a * (b.grid_kv[1] + b.grid_kv[2]);
  if (b.rel_temporal_rows > 0) macs.matmul += q * a * b.grid_kv[0];
  macs.linear += (q + cls) * a * a;
  macs.layer_norm += 5 * (q + cls) * a;
  macs.linear += (q + cls) * b.mlp_hidden * (a + b.dim_out);
  // The skip path's projection runs before its pooling when attention widens, after it otherwise.
  if (b.dim_in != b.dim_out) macs.linear += (m.dim_mul_in_att ? in + cls : q + cls) * b.dim_in * b.dim_out;
}

MultiplyAdds count_multiply_adds(const Plan& plan) {
  const auto& m = plan.recipe.mvit;
  const double cls = m.cls_embed_on ? 1 : 0;
  MultiplyAdds macs;
  const double patch = std::accumulate(m.patch_kernel.begin(), m.patch_kernel.end(), 1.0, std::multiplies<>());
  macs.conv += product(plan.grid) * m.embed_dim * plan.recipe.data.input_channel_num[0] * patch;
  if (m.norm_stem) macs.layer_norm += 5 * (product(plan.grid) + cls) * m.embed_dim;
  for (const auto& b : plan.blocks) add_block_macs(macs, m, b, cls);
  const double last = m.use_mean_pooling ? 1 : product(plan.blocks.back().grid_q) + cls;
  macs.layer_norm += 5 * last * plan.dim_out;
  macs.linear += static_cast<double>(plan.dim_out) * plan.recipe.model.num_classes;
  return macs;
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

Plan make_plan(const Recipe& recipe) {
  check(recipe);
  Plan plan;
  plan.recipe = recipe;
  plan.grid = patch_grid(recipe);
  plan.blocks = plan_blocks(recipe, plan.grid);
  plan.dim_out = plan.blocks.back().dim_out;
  plan.parameters = plan_parameters(plan);
  for (const auto& p : plan.parameters) plan.parameter_count += p.count();
  plan.multiply_adds = count_multiply_adds(plan);
  return plan;
}

}  // namespace reeltag::model

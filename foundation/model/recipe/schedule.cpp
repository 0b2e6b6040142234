#include <algorithm>
#include <cmath>
#include <sstream>

#include "plan_parts.hpp"

namespace reeltag::model {
namespace {

std::string text(const Triple& t) {
  return std::to_string(t[0]) + "x" + std::to_string(t[1]) + "x" + std::to_string(t[2]);
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

// Running state of the reference's schedule: heads and widths, block by block.
class Widths {
 public:
  explicit Widths(const MvitOptions& m)
      : m_(m),
        dim_mul_(factors(m.dim_mul, m.depth, "MVIT.DIM_MUL")),
        head_mul_(factors(m.head_mul, m.depth, "MVIT.HEAD_MUL")),
        width_(m.embed_dim),
        heads_(m.num_heads) {}

  // Must be called for each block in order.
  void next(std::size_t i, BlockPlan& b) {
    heads_ = round_width(heads_, head_mul_[i], 1);
    b.heads = heads_;
    if (m_.rev_enable) {
      reversible(i, b);
    } else {
      ordinary(i, b);
    }
    b.mlp_hidden = static_cast<int>(b.dim_attention * m_.mlp_ratio);
    b.pool_width = (m_.pool_first ? b.dim_in : b.dim_attention) / (m_.mode == "conv_unshared" ? 1 : b.heads);
  }

 private:
  void ordinary(std::size_t i, BlockPlan& b) {
    const std::size_t at = m_.dim_mul_in_att ? i : i + 1;
    b.dim_in = width_;
    b.dim_out = round_width(width_, dim_mul_[at], round_width(heads_, head_mul_[at], 1));
    b.dim_attention = m_.dim_mul_in_att ? b.dim_out : b.dim_in;
    width_ = b.dim_out;
  }

  // Widening happens in the listed layer, inside attention.
  void reversible(std::size_t i, BlockPlan& b) {
    width_ = round_width(width_, i > 0 ? dim_mul_[i - 1] : 1.0F, heads_);
    const auto& list = m_.rev_buffer_layers;
    const bool transition = std::find(list.begin(), list.end(), static_cast<int>(i)) != list.end();
    if (transition) b.transition = plan_fusion(m_.rev_pre_q_fusion, 2 * width_, "MVIT.REV.PRE_Q_FUSION");
    b.dim_in = transition && b.transition->keeps_both() ? 2 * width_ : width_;
    b.dim_out = round_width(width_, dim_mul_[i], round_width(heads_, head_mul_[i + 1], 1));
    b.dim_attention = b.dim_out;
  }

  const MvitOptions& m_;
  std::vector<float> dim_mul_, head_mul_;
  int width_, heads_;
};

std::string place(std::size_t block) { return "block " + std::to_string(block) + ": "; }

void check_widths(const MvitOptions& m, std::size_t i, const BlockPlan& b) {
  const auto divided = [&](int width) {
    if (width % b.heads == 0) return;
    bad(place(i) + "width " + std::to_string(width) + " cannot be divided among " + std::to_string(b.heads) +
        " heads; change MVIT.DIM_MUL or MVIT.HEAD_MUL");
  };
  divided(b.dim_attention);
  if (m.pool_first && m.mode != "conv_unshared") divided(b.dim_in);
  if (m.rev_enable && !b.transition && b.dim_in != b.dim_out) {
    bad(place(i) + "a reversible layer keeps its width; name it in MVIT.REV.BUFFER_LAYERS to change " +
        std::to_string(b.dim_in) + " to " + std::to_string(b.dim_out));
  }
}

void check_grids(const MvitOptions& m, std::size_t i, const BlockPlan& b) {
  if (std::min({b.grid_q[0], b.grid_q[1], b.grid_q[2], b.grid_kv[0], b.grid_kv[1], b.grid_kv[2]}) < 1)
    bad(place(i) + "pooling leaves no token of the grid " + text(b.grid_in));
  if (m.rev_enable) {
    if (!b.transition && b.grid_q != b.grid_in)
      bad(place(i) + "a reversible layer keeps its grid; name it in MVIT.REV.BUFFER_LAYERS to pool queries");
    return;
  }
  if (b.pool_skip && pooled_grid(b.grid_in, b.pool_skip) != b.grid_q) {
    bad(place(i) + "the skip path pools to " + text(pooled_grid(b.grid_in, b.pool_skip)) + " and the query to " +
        text(b.grid_q) + "; use odd kernels in MVIT.POOL_KVQ_KERNEL");
  }
  if (!b.pool_skip && b.grid_q != b.grid_in)
    bad(place(i) + "an even MVIT.POOL_KVQ_KERNEL changes the grid; use odd kernels");
}

}  // namespace

std::vector<BlockPlan> plan_blocks(const Recipe& recipe, const Triple& grid) {
  const auto& m = recipe.mvit;
  const Strides strides = block_strides(m);
  Widths widths(m);
  std::vector<BlockPlan> blocks(static_cast<std::size_t>(m.depth));
  Triple actual = grid;   // by the pooling formula
  Triple tracked = grid;  // by floor division: decides the size of the position tables only
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    BlockPlan& b = blocks[i];
    widths.next(i, b);
    check_widths(m, i, b);
    const auto &q = strides.q[i], &kv = strides.kv[i];
    b.pool_q = effective(q, m.pool_kvq_kernel);
    b.pool_kv = effective(kv, m.pool_kvq_kernel);
    if (!m.rev_enable && q && product(*q) > 1) b.pool_skip = pooling_for(*q, std::nullopt);
    b.grid_in = actual;
    b.grid_q = pooled_grid(actual, b.pool_q);
    b.grid_kv = pooled_grid(actual, b.pool_kv);
    check_grids(m, i, b);
    if (m.rel_pos_spatial) {
      const int rows_q = q ? tracked[1] / (*q)[1] : tracked[1];
      const int rows_kv = kv ? tracked[1] / (*kv)[1] : tracked[1];
      b.rel_spatial_rows = std::max(2 * std::max(rows_q, rows_kv) - 1, 1);
    }
    if (m.rel_pos_temporal) b.rel_temporal_rows = 2 * tracked[0] - 1;
    b.drop_path = drop_path_rate(static_cast<int>(i), m.depth, static_cast<float>(m.droppath_rate));
    if (q) {
      for (std::size_t a = 0; a < 3; ++a) tracked[a] = std::max(tracked[a] / (*q)[a], 1);
    }
    actual = b.grid_q;
  }
  return blocks;
}

Fusion plan_fusion(const std::string& text, int width, const char* key) {
  static constexpr const char* kPlain[] = {"concat", "add", "max", "min", "avg"};
  Fusion fusion;
  for (const char* op : kPlain) {
    fusion.op = op;
    if (text == op) return fusion;
  }
  // [ln+]concat_linear[_MULT[_DROP]]: hidden width as a multiple of the input's, dropout.
  fusion.op = "concat";
  std::string rest = text;
  fusion.layer_norm = rest.starts_with("ln+");
  if (fusion.layer_norm) rest.erase(0, 3);
  const std::string linear = "concat_linear";
  double multiple = 1.0;
  char separator = '_';
  bool good = rest.starts_with(linear);
  if (good && rest.size() > linear.size()) {
    std::istringstream in(rest.substr(linear.size()));
    good = in.get(separator) && separator == '_' && in >> multiple;
    if (good && in.peek() != EOF) good = in.get(separator) && separator == '_' && in >> fusion.dropout;
    good = good && in.peek() == EOF;
  }
  if (!good || !(multiple > 0 && multiple <= 64) || !(fusion.dropout >= 0 && fusion.dropout < 1)) {
    bad(std::string(key) + " must be add, max, min, avg, concat, concat_linear or ln+concat_linear (with _MULT or " +
        "_MULT_DROP behind it), not " + text);
  }
  fusion.hidden = static_cast<int>(width * multiple);
  return fusion;
}

}  // namespace reeltag::model

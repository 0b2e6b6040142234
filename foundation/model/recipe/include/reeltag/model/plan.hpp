// A plan describes a recipe's net in numbers: widths, heads, grids and pooling per block; names and shapes of all
// parameters; multiply-adds. Building it needs neither libtorch nor memory for weights, so nets of any size can be
// described. The torch net is built from it.
// Values, any thread. make_plan throws Exception(invalid_config) for a recipe without a valid net and
// Exception(unsupported) for options of the reference that are not supported. A reversible net has no class token:
// the plan's copy of the recipe says so whatever the given one did.
//
//   model::Plan plan = model::make_plan(model::load_recipe("MVITv2_S_16x4"));
//   plan.parameter_count;              // 34,537,744
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/model/recipe.hpp"

namespace reeltag::model {

// A pooling operator: kernel and stride along [t,h,w]; padding is kernel/2 on each axis.
struct Pooling {
  Triple kernel{1, 1, 1}, stride{1, 1, 1};
};

// The grid after pooling: floor((n + 2*(k/2) - k) / s) + 1 per axis.
Triple pooled_grid(const Triple& grid, const std::optional<Pooling>& pooling);

// How the two streams of a reversible net are merged.
struct Fusion {
  std::string op = "concat";  // add, max, min, avg of the halves; concat keeps both
  int hidden = 0;             // concat only: x + MLP(x) with this hidden width; 0: no MLP
  bool layer_norm = false;    // a LayerNorm before the MLP
  double dropout = 0.0;       // inside the MLP

  [[nodiscard]] bool keeps_both() const { return op == "concat"; }
};

// A block, or a layer of a reversible net.
struct BlockPlan {
  int dim_in = 0, dim_out = 0;  // widths of the block's input and output
  int dim_attention = 0;        // width inside attention and at the MLP's input
  int heads = 1;
  int pool_width = 0;  // channels of a pooling operator and its norm: one head's, or all with conv_unshared
  int mlp_hidden = 0;
  Triple grid_in{}, grid_q{}, grid_kv{};  // tokens [t,h,w] at the trained size, without the class token
  std::optional<Pooling> pool_q, pool_kv;
  std::optional<Pooling> pool_skip;  // max pooling of the skip path
  int rel_spatial_rows = 0;          // rows of rel_pos_h and rel_pos_w; 0: no such tables
  int rel_temporal_rows = 0;         // rows of rel_pos_t
  double drop_path = 0.0;
  std::optional<Fusion> transition;  // reversible nets: merges the streams, and changes width and grid

  [[nodiscard]] int head_dim() const { return dim_attention / heads; }
};

struct ParameterShape {
  std::string name;  // PySlowFast's name, e.g. "blocks.0.attn.qkv.weight"
  std::vector<std::int64_t> shape;

  [[nodiscard]] std::int64_t count() const;
};

// Multiply-adds of one forward pass of one clip, by fvcore's rules: convolutions, linear layers, matrix products,
// spatial position bias, and five per element of a layer norm.
struct MultiplyAdds {
  double conv = 0, linear = 0, matmul = 0, einsum = 0, layer_norm = 0;
  [[nodiscard]] double total() const { return conv + linear + matmul + einsum + layer_norm; }
};

struct Plan {
  Recipe recipe;
  Triple grid{};  // patch grid of the trained clip
  std::vector<BlockPlan> blocks;
  int dim_out = 0;                         // width of the head's input
  std::optional<Fusion> fusion;            // reversible nets: merges the trunk's output streams
  std::vector<ParameterShape> parameters;  // in the reference's order
  std::int64_t parameter_count = 0;
  MultiplyAdds multiply_adds;

  [[nodiscard]] bool class_token() const { return recipe.mvit.cls_embed_on; }
  [[nodiscard]] bool reversible() const { return fusion.has_value(); }
  // Masked pre-training: values predicted per token of the j-th block of MASK.PRETRAIN_DEPTH.
  [[nodiscard]] int prediction_width(std::size_t j) const;
};

Plan make_plan(const Recipe& recipe);

// Rounds width*factor to a multiple of divisor like the reference (MViT's round_width; float32 arithmetic).
int round_width(int width, float factor, int divisor);

}  // namespace reeltag::model

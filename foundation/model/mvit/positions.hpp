// Absolute positions of a grid of tokens, [1,N,C]: frozen tables, and learned ones brought to another grid than the
// trained one. Any thread.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Frozen sine-cosine positions [1, T*H*W (+1), D], temporal quarter first; zeros for the class token.
// Source: slowfast/models/utils.py@287ec007, get_3d_sincos_pos_embed.
torch::Tensor sincos_positions(int width, const Triple& grid, bool class_token);

// Learned [1,H*W,C] and [1,T,C] -> [1,T*H*W,C] over grid: time linearly, space bicubically, as a checkpoint's are when
// loaded.
torch::Tensor separate_positions(torch::Tensor spatial, torch::Tensor temporal, const Triple& trained,
                                 const Triple& grid);

// One learned table over the whole grid, resampled trilinearly; the class token's row, where there is one, stays.
// Source: slowfast/models/video_model_builder.py@287ec007, MViT._get_pos_embed.
torch::Tensor joint_positions(const torch::Tensor& table, const Triple& trained, const Triple& grid, bool class_token);

}  // namespace reeltag::model

// Absolute position embeddings of a token grid, [1,N,C]: fixed tables, and learned ones resampled to another grid than
// the trained one. Private. Functions, any thread; they throw c10::Error.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Fixed sine-cosine positions [1, T*H*W (+1), D], temporal quarter first; zeros for the class token.
// Source: slowfast/models/utils.py@287ec007, get_3d_sincos_pos_embed.
torch::Tensor sincos_positions(int width, const Triple& grid, bool class_token);

// Learned [1,H*W,C] and [1,T,C] -> [1,T*H*W,C] over grid: linear in time, bicubic in space, as for checkpoints.
torch::Tensor separate_positions(torch::Tensor spatial, torch::Tensor temporal, const Triple& trained,
                                 const Triple& grid);

// One learned table over the whole grid, resampled trilinearly; the class token's row, if any, is unchanged.
// Source: slowfast/models/video_model_builder.py@287ec007, MViT._get_pos_embed.
torch::Tensor joint_positions(const torch::Tensor& table, const Triple& trained, const Triple& grid, bool class_token);

}  // namespace reeltag::model

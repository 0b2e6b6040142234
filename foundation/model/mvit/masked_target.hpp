// What masked pre-training predicts of each token. Private; any thread.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Histograms of oriented gradients, [B,T*H*W,27*cells] over a token grid: per colour and cell of 8x8 pixels nine
// orientations, normalised to length one over the orientations. Of every stride_t-th frame.
// Source: MaskFeat (arXiv 2112.09133) section 3.1; slowfast/models/operators.py@287ec007, HOGLayerC.
torch::Tensor hog_targets(const torch::Tensor& clips, const Plan& plan, const Triple& grid);

// Pixels of each patch, [B,T*H*W,plan.prediction_width(0)], in the order frame, row, column, colour; with
// MASK.NORM_PRED_PIXEL of mean 0 and (unbiased) variance 1.
torch::Tensor pixel_targets(const torch::Tensor& clips, const Plan& plan);

}  // namespace reeltag::model

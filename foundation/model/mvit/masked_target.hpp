// Computes the prediction targets of masked pre-training. Private. Functions, any thread; they throw c10::Error.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Histograms of oriented gradients, [B,T*H*W,27*cells] over a token grid: nine orientations per colour and cell of 8x8
// pixels, L2-normalised over the orientations. Uses every stride_t-th frame.
// Source: MaskFeat (arXiv 2112.09133) section 3.1; slowfast/models/operators.py@287ec007, HOGLayerC.
torch::Tensor hog_targets(const torch::Tensor& clips, const Plan& plan, const Triple& grid);

// Pixels of each patch, [B,T*H*W,plan.prediction_width(0)], ordered by frame, row, column, colour; with
// MASK.NORM_PRED_PIXEL normalised to mean 0 and (unbiased) variance 1.
torch::Tensor pixel_targets(const torch::Tensor& clips, const Plan& plan);

}  // namespace reeltag::model

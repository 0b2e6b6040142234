// Masked pre-training of MViT trunks on unlabelled videos: hides parts of a clip and predicts them from the rest.
// MaskFeat predicts gradient histograms (arXiv 2112.09133), a masked autoencoder predicts pixels (arXiv 2205.09113);
// numerically equal to slowfast/models/masked.py@287ec007. Fine-tuning starts from the trunk's weights.
//
// One thread at a time; owns its weights. A recipe that is not for pre-training throws Exception(invalid_config), a
// mask that does not fit throws Exception(invalid_argument).
//
//   model::MaskedMvit net(model::make_plan(model::load_recipe("masked_ssl/k400_MVITv2_S_16x4_MaskFeat_PT")), 0);
//   auto masked = net.forward(clips, mask);
//   at::Tensor loss = net.loss(masked);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Predictions and targets of the hidden tokens, ordered by sample, then token. One entry per block of
// MASK.PRETRAIN_DEPTH.
struct MaskedTarget {
  std::vector<at::Tensor> prediction, target;  // [M,plan.prediction_width(j)]
};

class MaskedMvit {
 public:
  MaskedMvit(const Plan& plan, std::uint64_t seed);
  ~MaskedMvit();
  MaskedMvit(MaskedMvit&&) noexcept;
  MaskedMvit& operator=(MaskedMvit&&) noexcept;

  // clips float32 [B,3,T,H,W] (images [B,3,H,W]); mask [B,T',h,w] (images [B,h,w]), 1 where a clip is hidden. T' is the
  // number of token frames; h and w are arbitrary, the mask is resized to each grid by nearest neighbour. A masked
  // autoencoder requires the token grid itself and the same number of hidden tokens in each sample.
  MaskedTarget forward(const at::Tensor& clips, const at::Tensor& mask);
  // Mean squared error, averaged over the predictions.
  [[nodiscard]] static at::Tensor loss(const MaskedTarget& masked);

  void set_training(bool training);
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() const;  // in the reference's order
  [[nodiscard]] const Plan& plan() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model

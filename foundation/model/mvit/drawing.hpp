// What a training pass draws at random: drop path and dropout, from torch's default generator. Rows that are part of a
// larger batch draw for all of it and keep what is theirs, so that however a batch is divided over processes, each clip
// is met by the draws that it meets in one process.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/mvit.hpp"

namespace reeltag::model {

// The part that this thread's draws are for, while it lives.
class DrawingFor {
 public:
  explicit DrawingFor(const BatchPart& part);
  ~DrawingFor();
  DrawingFor(const DrawingFor&) = delete;
  DrawingFor& operator=(const DrawingFor&) = delete;

 private:
  BatchPart before_;
};

// Uniform in [0,1), one a sample of x [B,...]: [B,1,1].
torch::Tensor draw_per_sample(const torch::Tensor& x);

// torch::dropout of x [B,...], B outermost in memory.
torch::Tensor draw_dropout(const torch::Tensor& x, double rate, bool training);

}  // namespace reeltag::model

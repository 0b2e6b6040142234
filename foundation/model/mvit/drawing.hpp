// Random numbers of a training pass: drop path and dropout, from torch's default generator. A pass over part of a
// larger batch draws for the whole batch and keeps its own rows, so each clip gets the same random numbers however the
// batch is divided over ranks. Private. State is per thread; any thread. Throws c10::Error.
#pragma once

#include <torch/torch.h>

#include "reeltag/model/mvit.hpp"

namespace reeltag::model {

// Scope guard: sets the batch part of this thread's draws during its lifetime.
class DrawingFor {
 public:
  explicit DrawingFor(const BatchPart& part);
  ~DrawingFor();
  DrawingFor(const DrawingFor&) = delete;
  DrawingFor& operator=(const DrawingFor&) = delete;

 private:
  BatchPart before_;
};

// Uniform in [0,1), one per sample of x [B,...]: [B,1,1].
torch::Tensor draw_per_sample(const torch::Tensor& x);

// torch::dropout of x [B,...]; B must be the outermost dimension in memory.
torch::Tensor draw_dropout(const torch::Tensor& x, double rate, bool training);

}  // namespace reeltag::model

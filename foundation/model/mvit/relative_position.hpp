// Decomposed relative position: one table per axis, indexed by the distance of query and key on that axis. Private.
// Functions: any thread. RelativeTable: one thread at a time, owns its cache. Throws c10::Error.
// Source: MViTv2 (arXiv 2112.01526) equation 4; slowfast/models/attention.py@287ec007, cal_rel_pos_*.
#pragma once

#include <vector>

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Table [L,d] -> [q,k,d]: resampled linearly to 2*max(q,k)-1 rows if it has another number, then indexed.
torch::Tensor relative_rows(const torch::Tensor& table, int q, int k);

// A learned table that caches the rows last looked up: a net sees few shapes, so each is resampled once. Nothing is
// cached while gradients are recorded. One thread at a time.
class RelativeTable {
 public:
  torch::Tensor values;  // [L,d]; undefined: the net has no such table

  [[nodiscard]] bool defined() const { return values.defined(); }
  [[nodiscard]] torch::Tensor rows(int q, int k) const;  // relative_rows of values

 private:
  struct SavedForBackward {
    int q, k;
    torch::Tensor rows;
  };
  mutable torch::Tensor kept_of_;  // copy of the values that the cached rows were computed from
  mutable std::vector<SavedForBackward> kept_;
};

// The three tables of one attention.
struct RelativeTables {
  RelativeTable h, w, t;
  [[nodiscard]] bool any() const { return h.defined() || t.defined(); }
};

// Extends queries and keys so that their plain product is the biased score matrix:
//   q' = [scale*q, q.R_h, q.R_w, q.R_t]   [B,n,Nq,d+e]
//   k' = [k, one-hot row, column, frame]  [B,n,Nk,d+e],  e = kh+kw+kt
// so no tensor of the scores' size is needed for the bias. Class rows get zeros. q, k [B,n,N,d] contiguous.
struct ExtendedQk {
  torch::Tensor q, k;
};
ExtendedQk extend_with_positions(const torch::Tensor& q, const torch::Tensor& k, double scale,
                                 const RelativeTables& tables, const Triple& grid_q, const Triple& grid_k,
                                 bool class_token);

}  // namespace reeltag::model

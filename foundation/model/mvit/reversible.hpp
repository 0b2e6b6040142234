// The trunk of a reversible net: layers whose inputs can be computed from their outputs, so that training stores no
// activations inside a run of layers; stage transitions between the runs change width and grid. Private. One thread at
// a time; owns its parameters; throws c10::Error.
// Source: Reversible Vision Transformers (arXiv 2302.04869); names of slowfast/models/reversible_mvit.py@287ec007.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "block.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Merges two concatenated streams [B,N,2D] into [B,N,2D] (concat) or [B,N,D].
class StreamFusionImpl final : public torch::nn::Module {
 public:
  StreamFusionImpl(const Fusion& plan, int width);  // width 2D
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Fusion plan_;
  torch::nn::LayerNorm norm_{nullptr};
  Mlp mlp_{nullptr};
};
TORCH_MODULE(StreamFusion);

// F: norm and attention, [B,N,dim_in] -> [B,N',dim_out].
class AttentionBranchImpl final : public torch::nn::Module {
 public:
  AttentionBranchImpl(const BlockPlan& plan, const MvitOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Triple& grid) { return attention(norm_(x), grid); }
  PoolingAttention attention;

 private:
  torch::nn::LayerNorm norm_;
};
TORCH_MODULE(AttentionBranch);

// G: norm and MLP, [B,N,dim_out] -> [B,N,dim_out].
class MlpBranchImpl final : public torch::nn::Module {
 public:
  MlpBranchImpl(const BlockPlan& plan, const MvitOptions& options);
  torch::Tensor forward(const torch::Tensor& x) { return mlp_(norm_(x)); }

 private:
  torch::nn::LayerNorm norm_;
  Mlp mlp_;
};
TORCH_MODULE(MlpBranch);

// One layer: reversible, or a stage transition if its plan has one.
class ReversibleLayerImpl final : public torch::nn::Module {
 public:
  ReversibleLayerImpl(const BlockPlan& plan, const MvitOptions& options);

  using Tell = std::function<void(const std::string& branch, const torch::Tensor& output)>;  // branch "F" or "G"
  // A transition: both streams [B,N,2D] -> [B,N',dim_out]. Drop path is applied to the branches, as in all other
  // layers; the reference drops the whole output including the skip path, which discards the sample.
  torch::Tensor transit(const torch::Tensor& streams, const Triple& grid, const Tell& tell);

  AttentionBranch f;
  MlpBranch g;
  const BlockPlan plan;

 private:
  const bool pool_first_;
  StreamFusion pre_q_fuse_{nullptr};
  torch::nn::Linear res_proj_{nullptr};
};
TORCH_MODULE(ReversibleLayer);

class ReversibleTrunkImpl final : public torch::nn::Module {
 public:
  explicit ReversibleTrunkImpl(const Plan& plan);

  // x [B,N,embed_dim] over grid -> both streams [B,N',2*dim_out]. tell is called with "layer0_F", "layer0_G" ...
  using Tell = std::function<void(const std::string& where, const torch::Tensor& output)>;
  torch::Tensor forward(torch::Tensor x, Triple grid, const Tell& tell);

  // Recompute activations in the backward pass (default) instead of storing them. With MVIT.DROPOUT_RATE above 0 they
  // are always stored, because a branch with dropout cannot be repeated.
  bool recompute = true;

 private:
  torch::Tensor run(const torch::Tensor& x, std::size_t first, std::size_t last, const Triple& grid, const Tell& tell);

  std::vector<ReversibleLayer> layers_;
  double dropout_;
};
TORCH_MODULE(ReversibleTrunk);

}  // namespace reeltag::model

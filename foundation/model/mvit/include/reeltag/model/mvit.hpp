// MViT and MViTv2: multiscale vision transformers for clips and images.
// Source: MViT (arXiv 2104.11227), MViTv2 (arXiv 2112.01526); numerically equal to PySlowFast's
// slowfast/models@287ec007.
//
// One thread at a time. Owns its weights; returned tensors share them. A wrong input shape or a failed allocation
// throws Exception. Clips are float32 [B,3,T,H,W] (images [B,3,H,W]), normalised; logits are [B,classes]. T, H and W
// may vary: positions learned at the recipe's size are resampled to the clip's size, and used as they are at the
// trained size.
//
//   model::Mvit net(model::make_plan(recipe), /*seed=*/0);
//   at::Tensor logits = net.forward(clips);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/plan.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// The rows of a larger batch that a forward pass processes. of: rows of that batch; 0: the pass processes all of it.
struct BatchPart {
  std::int64_t first = 0, of = 0;
  [[nodiscard]] bool is_whole() const { return of == 0; }
};

class Mvit {
 public:
  // Initialises the weights like the reference, from seed.
  Mvit(const Plan& plan, std::uint64_t seed);
  ~Mvit();
  Mvit(Mvit&&) noexcept;
  Mvit& operator=(Mvit&&) noexcept;

  // Returns logits [B,classes]. In training mode dropout and drop path draw from torch's default generator. As part of
  // a larger batch the clips get the random numbers that they would get in the whole batch, bit-identical on the CPU.
  at::Tensor forward(const at::Tensor& clips, const BatchPart& part = {});
  // Returns the classifier's input, the embedding [B,dim_out] after the final norm.
  at::Tensor embed(const at::Tensor& clips);
  // Applies MODEL.HEAD_ACT: softmax, sigmoid or none.
  [[nodiscard]] at::Tensor activate(const at::Tensor& logits) const;

  void set_training(bool training);
  void to(const std::string& device);  // "cpu", "cuda", "cuda:1"
  void to_double();                    // converts weights to float64, for checks

  // Names and tensors, in the reference's order. Writing to a tensor changes the net.
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() const;
  [[nodiscard]] const Plan& plan() const;

  // Called during forward with "patch_embed", "block0_attn", "block0", ..., "norm" and the output at that point.
  using Observer = std::function<void(const std::string& where, const at::Tensor& output)>;
  void observe(Observer observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The net of a recipe with these weights, in evaluation mode, on the CPU. Weights that are missing or of another shape
// throw Exception(corrupt).
Mvit make_net(const Recipe& recipe, const Weights& weights);
// Its weights, in the reference's order.
NamedArrays arrays_of(const Mvit& net);

// Fills every parameter with the closed form of the reference vectors: a value per name and index, exact in any
// language (SplitMix64 seeded with the FNV-1a hash of the name, scaled by fan). Used by full-size checks only.
void fill_closed_form(Mvit& net);
// The input of those checks: name "input", shape as given, values 2*r.
at::Tensor closed_form_input(const std::vector<std::int64_t>& shape);

}  // namespace reeltag::model

// Optimisation of a net: losses, learning-rate schedule, parameter groups, gradient clipping, AdamW.
// Sources: AdamW arXiv 1711.05101; slowfast/models/{losses,optimizer}.py and slowfast/utils/lr_policy.py@287ec007.
// One thread at a time. AdamW owns its moments and shares the parameters with the net. Invalid settings throw
// Exception(invalid_config, unsupported).
//
//   model::AdamW optimizer(net.parameters(), recipe);
//   loss.backward();
//   model::clip_gradients(net.parameters(), 1.0);
//   optimizer.step(model::learning_rate(recipe, epoch + batch / batches));
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/recipe.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Scalar loss, averaged over the batch. logits [B,classes]. target: int64 [B] or float [B,classes] for cross_entropy
// and soft_cross_entropy (not renormalised); float [B,classes] for bce_logit, averaged over batch and classes, and for
// bce_logit_sum, summed over classes and averaged over the batch.
at::Tensor loss(const std::string& name, const at::Tensor& logits, const at::Tensor& target);

// One-hot [B,classes] with smoothing s: 1-s+s/classes at the label and s/classes elsewhere.
at::Tensor smoothed_targets(const at::Tensor& labels, std::int64_t classes, double smoothing);

// Learning rate at a fractional epoch, e.g. 3.25: cosine or constant with linear warm-up.
double learning_rate(const Recipe& recipe, double epoch);

// Scales all gradients to an L2 norm of at most max_norm (0: measures only). Returns the norm before clipping.
double clip_gradients(const NamedTensors& parameters, double max_norm);

struct ParameterGroup {
  double weight_decay = 0.0;
  std::vector<std::string> names;
};
// Decayed parameters first, then those without weight decay (norms and biases with ZERO_WD_1D_PARAM; class token and
// positions with ZERO_DECAY_POS_CLS).
std::vector<ParameterGroup> parameter_groups(const Recipe& recipe, const NamedTensors& parameters);

// Whether AdamW can be made for these settings; the reference knows others (LAYER_DECAY).
bool is_supported(const SolverOptions& solver);

class AdamW {
 public:
  AdamW(const NamedTensors& parameters, const Recipe& recipe);
  // Takes one step with the present gradients; parameters without gradient are unchanged.
  void step(double learning_rate);
  void zero_grad();

  // Moments and step count as named tensors ("exp_avg/NAME", "exp_avg_sq/NAME", "step"), for checkpoints.
  [[nodiscard]] NamedTensors state() const;
  // Throws Exception(corrupt) if a moment is missing or has another shape.
  void load_state(const TensorFile& file, const std::string& prefix);

 private:
  struct Group {
    double weight_decay = 0.0;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, exp_avg, exp_avg_sq, steps;
  };
  std::vector<Group> groups_;
  double beta1_, beta2_;
};

}  // namespace reeltag::model

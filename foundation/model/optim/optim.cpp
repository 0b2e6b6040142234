#include "reeltag/model/optim.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <torch/torch.h>

namespace reeltag::model {
namespace {

using torch::Tensor;

double cosine(const SolverOptions& s, double epoch) {
  const double offset = s.cosine_after_warmup ? s.warmup_epochs : 0.0;
  const double progress = (epoch - offset) / (s.max_epoch - offset);
  return s.cosine_end_lr + (s.base_lr - s.cosine_end_lr) * (std::cos(std::numbers::pi * progress) + 1.0) * 0.5;
}

double policy(const SolverOptions& s, double epoch) {
  if (s.lr_policy == "cosine") return cosine(s, epoch);
  if (s.lr_policy == "constant") return s.base_lr;
  throw Exception(Code::invalid_config, "SOLVER.LR_POLICY must be cosine or constant, not " + s.lr_policy);
}

bool is_position_or_class(const std::string& name) {
  for (const char* part : {"pos_embed", "rel_pos_h", "rel_pos_w", "rel_pos_t", "cls_token"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Tensor loss(const std::string& name, const Tensor& logits, const Tensor& target) {
  if (name == "cross_entropy" || name == "soft_cross_entropy") {
    if (target.dim() == 1) return torch::nn::functional::cross_entropy(logits, target);
    return -(target * torch::log_softmax(logits, -1)).sum(-1).mean();
  }
  if (name == "bce_logit") return torch::binary_cross_entropy_with_logits(logits, target);
  if (name == "bce_logit_sum") {
    return torch::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::Sum) /
           static_cast<double>(logits.size(0));
  }
  throw Exception(Code::invalid_config,
                  "MODEL.LOSS_FUNC must be cross_entropy, soft_cross_entropy, bce_logit or "
                  "bce_logit_sum, not " +
                      name);
}

Tensor smoothed_targets(const Tensor& labels, std::int64_t classes, double smoothing) {
  const double off = smoothing / static_cast<double>(classes);
  return torch::full({labels.size(0), classes}, off, labels.options().dtype(torch::kFloat))
      .scatter_(1, labels.unsqueeze(1), 1.0 - smoothing + off);
}

double learning_rate(const Recipe& recipe, double epoch) {
  SolverOptions s = recipe.solver;
  if (s.base_lr_scale_num_shards) {
    s.base_lr *= recipe.num_shards;
    s.warmup_start_lr *= recipe.num_shards;
    s.cosine_end_lr *= recipe.num_shards;
  }
  if (epoch >= s.warmup_epochs) return policy(s, epoch);
  const double end = policy(s, s.warmup_epochs);
  return s.warmup_start_lr + epoch * (end - s.warmup_start_lr) / s.warmup_epochs;
}

double clip_gradients(const NamedTensors& parameters, double max_norm) {
  torch::NoGradGuard no_grad;
  std::vector<Tensor> grads;
  for (const auto& [name, p] : parameters) {
    if (p.grad().defined()) grads.push_back(p.grad());
  }
  if (grads.empty()) return 0.0;
  std::vector<Tensor> norms;
  for (const auto& n : torch::_foreach_norm(grads)) norms.push_back(n);
  const double total = torch::stack(norms).norm().item<double>();
  const double scale = max_norm / (total + 1e-6);
  if (max_norm > 0 && scale < 1.0) torch::_foreach_mul_(grads, scale);
  return total;
}

std::vector<ParameterGroup> parameter_groups(const Recipe& recipe, const NamedTensors& parameters) {
  ParameterGroup decayed{recipe.solver.weight_decay, {}}, undecayed{0.0, {}};
  for (const auto& [name, p] : parameters) {
    if (!p.requires_grad()) continue;
    const bool one_dimensional = p.dim() == 1 || name.ends_with(".bias");
    const bool skip = (recipe.solver.zero_wd_1d_param && one_dimensional) ||
                      (recipe.mvit.zero_decay_pos_cls && is_position_or_class(name));
    (skip ? undecayed : decayed).names.push_back(name);
  }
  std::vector<ParameterGroup> groups;
  for (auto& group : {decayed, undecayed}) {
    if (!group.names.empty()) groups.push_back(group);
  }
  return groups;
}

bool is_supported(const SolverOptions& solver) {
  return solver.optimizing_method == "adamw" && solver.layer_decay == 1.0;
}

AdamW::AdamW(const NamedTensors& parameters, const Recipe& recipe) {
  const auto& s = recipe.solver;
  if (s.optimizing_method != "adamw") {
    throw Exception(Code::invalid_config, "SOLVER.OPTIMIZING_METHOD must be adamw, not " + s.optimizing_method);
  }
  if (s.layer_decay != 1.0) throw Exception(Code::unsupported, "SOLVER.LAYER_DECAY other than 1 is not built yet");
  if (s.betas.size() != 2) throw Exception(Code::invalid_config, "SOLVER.BETAS must have two entries");
  beta1_ = s.betas[0];
  beta2_ = s.betas[1];
  std::map<std::string, Tensor> by_name(parameters.begin(), parameters.end());
  for (const auto& group : parameter_groups(recipe, parameters)) {
    Group g{.weight_decay = group.weight_decay,
            .names = group.names,
            .parameters = {},
            .exp_avg = {},
            .exp_avg_sq = {},
            .steps = {}};
    for (const auto& name : group.names) {
      const Tensor& p = by_name[name];
      g.parameters.push_back(p);
      g.exp_avg.push_back(torch::zeros_like(p));
      g.exp_avg_sq.push_back(torch::zeros_like(p));
      g.steps.push_back(torch::zeros({}, p.options().dtype(torch::kFloat)));
    }
    groups_.push_back(std::move(g));
  }
}

void AdamW::step(double learning_rate) {
  torch::NoGradGuard no_grad;
  for (auto& g : groups_) {
    std::vector<Tensor> params, grads, exp_avg, exp_avg_sq, steps;
    for (std::size_t i = 0; i < g.parameters.size(); ++i) {
      if (!g.parameters[i].grad().defined()) continue;
      params.push_back(g.parameters[i]);
      grads.push_back(g.parameters[i].grad());
      exp_avg.push_back(g.exp_avg[i]);
      exp_avg_sq.push_back(g.exp_avg_sq[i]);
      steps.push_back(g.steps[i].add_(1));
    }
    if (params.empty()) continue;
    torch::_fused_adamw_(params, grads, exp_avg, exp_avg_sq, {}, steps, learning_rate, beta1_, beta2_, g.weight_decay,
                         /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
  }
}

void AdamW::zero_grad() {
  for (auto& g : groups_) {
    for (auto& p : g.parameters) p.mutable_grad().reset();
  }
}

NamedTensors AdamW::state() const {
  NamedTensors out;
  for (const auto& g : groups_) {
    for (std::size_t i = 0; i < g.names.size(); ++i) {
      out.emplace_back("exp_avg/" + g.names[i], g.exp_avg[i]);
      out.emplace_back("exp_avg_sq/" + g.names[i], g.exp_avg_sq[i]);
      out.emplace_back("step/" + g.names[i], g.steps[i]);
    }
  }
  return out;
}

void AdamW::load_state(const TensorFile& file, const std::string& prefix) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state()) {
    const Tensor* stored = file.find(prefix + name);
    if (stored == nullptr || stored->sizes() != tensor.sizes()) {
      throw Exception(Code::corrupt, "the checkpoint's optimizer state does not fit the net: " + name +
                                         (stored == nullptr ? " is missing" : " has another shape"));
    }
    tensor.copy_(*stored);
  }
}

}  // namespace reeltag::model

#include "reversible.hpp"

#include <utility>

#include "drawing.hpp"

namespace reeltag::model {

using torch::Tensor;

namespace {

std::pair<Tensor, Tensor> halves(const Tensor& streams) {
  const auto parts = streams.chunk(2, -1);
  return {parts[0], parts[1]};
}

// Applies drop path: the branch times a factor per sample; an undefined mask keeps all of it.
Tensor kept(const Tensor& branch, const Tensor& mask) { return mask.defined() ? branch * mask : branch; }

// Both branches of a layer share one mask.
using Masks = std::vector<Tensor>;
using Layers = std::vector<ReversibleLayer>;

// Y1 = X1 + F(X2), Y2 = X2 + G(Y1), layer after layer, from X1 = X2 = x.
Tensor forward_run(const Tensor& x, const Layers& layers, const Masks& masks, const Triple& grid,
                   const std::function<void(std::size_t, const char*, const Tensor&)>& tell) {
  Tensor x1 = x, x2 = x;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ReversibleLayer layer = layers[i];
    const Tensor f = layer->f(x2, grid);
    tell(i, "F", f);
    x1 = x1 + kept(f, masks[i]);
    const Tensor g = layer->g(x1);
    tell(i, "G", g);
    x2 = x2 + kept(g, masks[i]);
  }
  return torch::cat({x1, x2}, -1);
}

// State of a run that the backward pass needs.
struct RunState final : torch::CustomClassHolder {
  Layers layers;
  Masks masks;
  Triple grid{};
};

std::vector<Tensor> run_parameters(const Layers& layers) {
  std::vector<Tensor> out;
  for (const auto& layer : layers) {
    for (const auto& p : layer->f->parameters()) out.push_back(p);
    for (const auto& p : layer->g->parameters()) out.push_back(p);
  }
  return out;
}

// A recomputed branch and its gradients.
struct Replay {
  Tensor value, input_gradient;
  std::vector<Tensor> parameter_gradients;
};

template <class Branch>
Replay replay(const Branch& branch, const torch::nn::Module& module, const Tensor& x, const Tensor& gradient) {
  const torch::AutoGradMode record(true);
  const Tensor input = x.detach().requires_grad_();
  const Tensor value = branch(input);
  std::vector<Tensor> wanted{input};
  for (const auto& p : module.parameters()) wanted.push_back(p);
  auto gradients = torch::autograd::grad({value}, wanted, {gradient}, std::nullopt, false, /*allow_unused=*/true);
  Replay out{value.detach(), gradients.front(), {}};
  out.parameter_gradients.assign(gradients.begin() + 1, gradients.end());
  return out;
}

// A run of reversible layers that saves only its output for the backward pass.
class ReversibleRun : public torch::autograd::Function<ReversibleRun> {
 public:
  // parameters is an argument so that autograd propagates their gradients.
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, at::TensorList parameters,
                        const c10::intrusive_ptr<RunState>& state) {
    static_cast<void>(parameters);
    Tensor streams =
        forward_run(x, state->layers, state->masks, state->grid, [](std::size_t, const char*, const Tensor&) {});
    ctx->save_for_backward({streams});
    ctx->saved_data["state"] = c10::IValue::make_capsule(state);
    return streams;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 const torch::autograd::variable_list& gradients) {
    const auto state = c10::static_intrusive_pointer_cast<RunState>(ctx->saved_data["state"].toCapsule());
    auto [y1, y2] = halves(ctx->get_saved_variables()[0]);
    auto [d1, d2] = halves(gradients[0]);
    std::vector<std::vector<Tensor>> by_layer(state->layers.size());
    for (std::size_t i = state->layers.size(); i-- > 0;) {
      ReversibleLayer layer = state->layers[i];
      const Tensor& mask = state->masks[i];
      const auto g = replay([&](const Tensor& x) { return kept(layer->g(x), mask); }, *layer->g, y1, d2);
      y2 = y2 - g.value;  // X2
      d1 = d1 + g.input_gradient;
      const auto f = replay([&](const Tensor& x) { return kept(layer->f(x, state->grid), mask); }, *layer->f, y2, d1);
      y1 = y1 - f.value;  // X1
      d2 = d2 + f.input_gradient;
      by_layer[i] = f.parameter_gradients;
      by_layer[i].insert(by_layer[i].end(), g.parameter_gradients.begin(), g.parameter_gradients.end());
    }
    torch::autograd::variable_list out{d1 + d2};
    for (const auto& layer : by_layer) out.insert(out.end(), layer.begin(), layer.end());
    out.emplace_back();  // no gradient for the state
    return out;
  }
};

// [B,1,1]: 0 for dropped samples, 1/keep for the others; undefined where nothing is dropped.
Tensor drop_mask(const Tensor& x, double rate, bool training) {
  if (!training || rate == 0.0) return {};
  const double keep = 1.0 - rate;
  return torch::floor(draw_per_sample(x) + keep) / keep;
}

}  // namespace

StreamFusionImpl::StreamFusionImpl(const Fusion& plan, int width) : plan_(plan) {
  if (plan.hidden == 0) return;
  Mlp mlp(width, plan.hidden, width, plan.dropout);
  if (!plan.layer_norm) {
    mlp_ = register_module("fuse_fn", mlp);
    return;
  }
  auto sequence = register_module("fuse_fn", std::make_shared<torch::nn::Module>("Sequence"));
  // Uses the framework's default eps of 1e-5.
  norm_ = sequence->register_module("0", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  mlp_ = sequence->register_module("1", mlp);
}

Tensor StreamFusionImpl::forward(const Tensor& x) {
  if (!mlp_.is_empty()) return x + mlp_(norm_.is_empty() ? x : norm_(x));
  if (plan_.keeps_both()) return x;
  const auto [a, b] = halves(x);
  if (plan_.op == "add") return a + b;
  if (plan_.op == "max") return torch::maximum(a, b);
  if (plan_.op == "min") return torch::minimum(a, b);
  return (a + b) / 2;
}

AttentionBranchImpl::AttentionBranchImpl(const BlockPlan& plan, const MvitOptions& options)
    : attention(nullptr), norm_(register_module("norm", layer_norm(plan.dim_in))) {
  attention = register_module("attn", PoolingAttention(plan, options));
}

MlpBranchImpl::MlpBranchImpl(const BlockPlan& plan, const MvitOptions& options)
    : norm_(register_module("norm", layer_norm(plan.dim_out))),
      mlp_(register_module("mlp", Mlp(plan.dim_out, plan.mlp_hidden, plan.dim_out, options.dropout_rate))) {}

ReversibleLayerImpl::ReversibleLayerImpl(const BlockPlan& block, const MvitOptions& options)
    : f(register_module("F", AttentionBranch(block, options))),
      g(register_module("G", MlpBranch(block, options))),
      plan(block),
      pool_first_(options.pool_first) {
  if (!block.transition) return;
  const int both = block.transition->keeps_both() ? block.dim_in : 2 * block.dim_in;
  pre_q_fuse_ = register_module("pre_q_fuse", StreamFusion(*block.transition, both));
  if (block.dim_in != block.dim_out)
    res_proj_ = register_module("res_proj", torch::nn::Linear(block.dim_in, block.dim_out));
}

Tensor ReversibleLayerImpl::transit(const Tensor& streams, const Triple& grid, const Tell& tell) {
  const Tensor x = pre_q_fuse_(streams);
  Tensor skip = x;
  if (!res_proj_.is_empty() && !pool_first_) skip = res_proj_(skip);
  skip = f->attention->pool_as_query(skip, grid);
  if (!res_proj_.is_empty() && pool_first_) skip = res_proj_(skip);
  const Tensor attended = f(x, grid);
  tell("F", attended);
  const Tensor y = skip + kept(attended, drop_mask(x, plan.drop_path, is_training()));
  const Tensor mixed = g(y);
  tell("G", mixed);
  return y + kept(mixed, drop_mask(x, plan.drop_path, is_training()));
}

ReversibleTrunkImpl::ReversibleTrunkImpl(const Plan& plan) : dropout_(plan.recipe.mvit.dropout_rate) {
  auto layers = register_module("layers", torch::nn::ModuleList());
  for (const auto& block : plan.blocks) {
    layers_.emplace_back(block, plan.recipe.mvit);
    layers->push_back(layers_.back());
  }
}

Tensor ReversibleTrunkImpl::run(const Tensor& x, std::size_t first, std::size_t last, const Triple& grid,
                                const Tell& tell) {
  auto state = c10::make_intrusive<RunState>();
  state->grid = grid;
  for (std::size_t i = first; i < last; ++i) {
    state->layers.push_back(layers_[i]);
    state->masks.push_back(drop_mask(x, layers_[i]->plan.drop_path, is_training()));
  }
  if (recompute && is_training() && torch::GradMode::is_enabled() && dropout_ == 0.0) {
    const auto parameters = run_parameters(state->layers);
    return ReversibleRun::apply(x, at::TensorList(parameters), state);
  }
  return forward_run(x, state->layers, state->masks, grid, [&](std::size_t i, const char* branch, const Tensor& out) {
    tell("layer" + std::to_string(first + i) + "_" + branch, out);
  });
}

Tensor ReversibleTrunkImpl::forward(Tensor x, Triple grid, const Tell& tell) {
  for (std::size_t i = 0; i < layers_.size();) {
    const BlockPlan& block = layers_[i]->plan;
    if (block.transition) {
      x = layers_[i]->transit(x, grid, [&](const std::string& branch, const Tensor& out) {
        tell("layer" + std::to_string(i) + "_" + branch, out);
      });
      grid = pooled_grid(grid, block.pool_q);
      ++i;
      continue;
    }
    const std::size_t first = i;
    while (i < layers_.size() && !layers_[i]->plan.transition) ++i;
    x = run(x, first, i, grid, tell);
  }
  return draw_dropout(x, dropout_, is_training());
}

}  // namespace reeltag::model

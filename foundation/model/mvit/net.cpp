#include "net.hpp"

#include "drawing.hpp"

namespace reeltag::model {

using torch::Tensor;

NetImpl::NetImpl(const Plan& plan) : StemImpl(plan) {
  if (plan.reversible()) {
    trunk_ = register_module("rev_backbone", ReversibleTrunk(plan));
    fuse_ = register_module("fuse", StreamFusion(*plan.fusion, 2 * plan.blocks.back().dim_out));
  } else {
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    for (const auto& block : plan.blocks) {
      blocks_.emplace_back(block, plan.recipe.mvit);
      blocks->push_back(blocks_.back());
    }
  }
  norm_ = register_module("norm", layer_norm(plan.dim_out));
  auto head = register_module("head", std::make_shared<torch::nn::Module>("Head"));
  projection_ = head->register_module("projection", torch::nn::Linear(plan.dim_out, plan.recipe.model.num_classes));
}

void NetImpl::recompute_activations(bool on) {
  if (!trunk_.is_empty()) trunk_->recompute = on;
}

Tensor NetImpl::embed_blocks(Tokens tokens) {
  const auto& m = plan_.recipe.mvit;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    auto out = blocks_[i]->forward(tokens.x, tokens.grid);
    tokens = {out.tokens, out.grid};
    tell("block" + std::to_string(i) + "_attn", out.attention);
    tell("block" + std::to_string(i), tokens.x);
  }
  Tensor x = tokens.x;
  if (m.use_mean_pooling) {
    const std::int64_t cls = m.cls_embed_on ? 1 : 0;
    x = norm_(x.narrow(1, cls, x.size(1) - cls).mean(1));
    tell("norm", x);
    return x;
  }
  x = norm_(x);
  tell("norm", x);
  return m.cls_embed_on ? x.select(1, 0) : x.mean(1);
}

Tensor NetImpl::embed_reversible(const Tokens& tokens) {
  Tensor x = trunk_->forward(tokens.x, tokens.grid,
                             [&](const std::string& where, const Tensor& output) { tell(where, output); });
  tell("rev_backbone", x);
  const bool mean_first = plan_.recipe.mvit.use_mean_pooling;
  x = norm_(mean_first ? fuse_(x).mean(1) : x);
  tell("norm", x);
  return mean_first ? x : fuse_(x).mean(1);
}

Tensor NetImpl::embed(const Tensor& clips) {
  const Tokens patches = patch_tokens(clips);
  tell("patch_embed", patches.x);
  const Tokens tokens{with_positions(patches), patches.grid};
  return plan_.reversible() ? embed_reversible(tokens) : embed_blocks(tokens);
}

Tensor NetImpl::forward(const Tensor& clips) {
  Tensor x = draw_dropout(embed(clips), plan_.recipe.model.dropout_rate, is_training());
  if (plan_.recipe.model.detach_final_fc) x = x.detach();
  return projection_(x);
}

}  // namespace reeltag::model

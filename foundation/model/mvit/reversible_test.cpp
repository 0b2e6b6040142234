#include "reversible.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "net.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

Recipe reversible_recipe() {
  Recipe r = load_recipe("MVITv2_XXS_8");
  r.model.num_classes = 7;
  r.data.num_frames = 4;
  r.data.train_crop_size = r.data.test_crop_size = 32;
  r.mvit = {};
  r.mvit.patch_padding = {1, 3, 3};
  r.mvit.depth = 6;
  r.mvit.embed_dim = 8;
  r.mvit.dim_mul = {{2, 2.0}, {4, 2.0}};
  r.mvit.head_mul = {{2, 2.0}, {4, 2.0}};
  r.mvit.pool_q_stride = {{2, {1, 2, 2}}, {4, {1, 2, 2}}};
  r.mvit.pool_kv_stride_adaptive = Triple{1, 4, 4};
  r.mvit.pool_kvq_kernel = Triple{3, 3, 3};
  r.mvit.cls_embed_on = false;
  r.mvit.rev_enable = true;
  r.mvit.rev_buffer_layers = {2, 4};
  r.mvit.droppath_rate = 0.0;
  r.model.dropout_rate = 0.0;
  return r;
}

// All gradients of one step, by parameter name and "input".
std::map<std::string, Tensor> gradients(const Recipe& recipe, bool recompute) {
  const Plan plan = make_plan(recipe);
  torch::manual_seed(5);
  Net net(plan);
  initialize(*net, plan);
  // Weights of unit gain instead of the reference's tiny ones, so that gradients are of order one.
  {
    torch::NoGradGuard no_grad;
    for (auto& p : net->parameters()) {
      if (p.dim() > 1) p.mul_(10.0);
    }
  }
  net->train(true);
  net->recompute_activations(recompute);
  torch::manual_seed(6);
  const Tensor clips = torch::randn({3, 3, 4, 32, 32}).requires_grad_();
  torch::manual_seed(7);  // seeds drop path
  torch::cross_entropy_loss(net->forward(clips), torch::tensor({1, 4, 6})).backward();
  std::map<std::string, Tensor> out{{"input", clips.grad()}};
  for (const auto& p : net->named_parameters()) out[p.key()] = p.value().grad();
  return out;
}

void expect_same_gradients(const Recipe& recipe) {
  const auto kept = gradients(recipe, false), recomputed = gradients(recipe, true);
  ASSERT_EQ(kept.size(), recomputed.size());
  for (const auto& [name, want] : kept) {
    ASSERT_TRUE(want.defined()) << name;
    ASSERT_TRUE(recomputed.at(name).defined()) << name;
    // A bias on all keys shifts all scores equally: its true gradient is zero, and only rounding noise is left.
    if (name.ends_with("norm_k.bias") || (recipe.mvit.pool_first && name.ends_with("attn.k.bias"))) continue;
    const double scale = want.abs().max().item<double>();
    EXPECT_GT(scale, 0.0) << name;
    EXPECT_LE((recomputed.at(name) - want).abs().max().item<double>(), 1e-5 * scale) << name;
  }
}

class RecomputedGradients : public testing::TestWithParam<const char*> {};

TEST_P(RecomputedGradients, EqualOrdinaryOnes) {
  Recipe recipe = reversible_recipe();
  recipe.mvit.rev_pre_q_fusion = GetParam();
  expect_same_gradients(recipe);
}
INSTANTIATE_TEST_SUITE_P(EveryFusion, RecomputedGradients,
                         testing::Values("avg", "add", "max", "min", "concat", "concat_linear_2",
                                         "ln+concat_linear_0.5"));

TEST(RecomputedGradients, EqualOrdinaryOnesWithDropPath) {
  Recipe recipe = reversible_recipe();
  recipe.mvit.droppath_rate = 0.4;
  expect_same_gradients(recipe);
}

TEST(RecomputedGradients, EqualOrdinaryOnesWithRelativePositionsAndPoolFirst) {
  Recipe recipe = reversible_recipe();
  recipe.mvit.rel_pos_spatial = recipe.mvit.rel_pos_temporal = true;
  recipe.mvit.residual_pooling = true;
  expect_same_gradients(recipe);
  recipe.mvit.pool_first = true;
  expect_same_gradients(recipe);
}

TEST(ReversibleTrunk, KeepsNoActivationsOfItsRuns) {
  Recipe recipe = reversible_recipe();
  recipe.mvit.depth = 24;
  recipe.mvit.rev_buffer_layers = {};
  recipe.mvit.dim_mul = {};
  recipe.mvit.head_mul = {};
  recipe.mvit.pool_q_stride = {};
  const Plan plan = make_plan(recipe);
  ReversibleTrunk trunk(plan);
  trunk->train(true);
  // The graph's memory is the saved tensors of its nodes: a recomputed run is one node, a stored one is many.
  const auto nodes = [&](bool recompute) {
    trunk->recompute = recompute;
    const Tensor x = torch::randn({1, 2 * 8 * 8, 8}).requires_grad_();
    const Tensor y = trunk->forward(x, {2, 8, 8}, [](const std::string&, const Tensor&) {});
    std::set<torch::autograd::Node*> seen;
    std::vector<torch::autograd::Node*> open{y.grad_fn().get()};
    while (!open.empty()) {
      auto* node = open.back();
      open.pop_back();
      if (node == nullptr || !seen.insert(node).second) continue;
      for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
    }
    std::size_t inner = 0;
    for (auto* node : seen) inner += node->name().find("AccumulateGrad") == std::string::npos ? 1 : 0;
    return inner;
  };
  EXPECT_LE(nodes(true), 3U);
  EXPECT_GT(nodes(false), 24U * 10);
}

}  // namespace
}  // namespace reeltag::model

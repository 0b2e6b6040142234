#include "reeltag/model/optim.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace reeltag::model {
namespace {

Recipe adamw() {
  Recipe r;
  r.solver.optimizing_method = "adamw";
  r.solver.weight_decay = 0.1;
  r.solver.zero_wd_1d_param = true;
  r.mvit.zero_decay_pos_cls = false;
  return r;
}

TEST(LearningRate, WarmsUpThenFallsAsACosine) {
  Recipe r = adamw();
  r.solver.base_lr = 1e-4;
  r.solver.cosine_end_lr = 1e-6;
  r.solver.warmup_start_lr = 1e-6;
  r.solver.warmup_epochs = 30;
  r.solver.max_epoch = 200;
  // Values of the reference without COSINE_AFTER_WARMUP.
  EXPECT_NEAR(learning_rate(r, 0), 1e-6, 1e-15);
  EXPECT_NEAR(learning_rate(r, 10), 3.2201607649108066e-05, 1e-15);
  EXPECT_NEAR(learning_rate(r, 29.9), 9.429280687083313e-05, 1e-15);
  EXPECT_NEAR(learning_rate(r, 100), 5.05e-05, 1e-15);
  EXPECT_NEAR(learning_rate(r, 199), 1.0061066921578009e-06, 1e-15);
  r.solver.cosine_after_warmup = true;
  EXPECT_NEAR(learning_rate(r, 30), 1e-4, 1e-15);
}

TEST(SmoothedTargets, SumToOne) {
  const auto t = smoothed_targets(torch::tensor({2, 0}, torch::kInt64), 4, 0.1);
  EXPECT_NEAR(t[0][2].item<float>(), 0.925F, 1e-6);
  EXPECT_NEAR(t[0][0].item<float>(), 0.025F, 1e-6);
  EXPECT_NEAR(t[1].sum().item<float>(), 1.0F, 1e-6);
}

TEST(Loss, SoftTargetsOfOneClassAreCrossEntropy) {
  const auto logits = torch::randn({3, 5});
  const auto labels = torch::tensor({1, 4, 0}, torch::kInt64);
  EXPECT_NEAR(loss("soft_cross_entropy", logits, smoothed_targets(labels, 5, 0.0)).item<float>(),
              loss("cross_entropy", logits, labels).item<float>(), 1e-6);
  EXPECT_THROW(loss("hinge", logits, labels), Exception);
}

TEST(Loss, BceSumIsTheMeanTimesTheClasses) {
  const auto logits = torch::randn({3, 7});
  const auto target = torch::zeros({3, 7});
  EXPECT_NEAR(loss("bce_logit_sum", logits, target).item<float>(), 7 * loss("bce_logit", logits, target).item<float>(),
              1e-5);
}

TEST(ClipGradients, ScalesToTheLimitAndReportsTheNormBefore) {
  const auto p = torch::zeros({2}).requires_grad_();
  p.mutable_grad() = torch::tensor({3.0F, 4.0F});
  EXPECT_NEAR(clip_gradients({{"p", p}}, 1.0), 5.0, 1e-6);
  EXPECT_NEAR(p.grad().norm().item<float>(), 1.0F, 1e-4);
  EXPECT_NEAR(clip_gradients({{"p", p}}, 2.0), 1.0, 1e-4);
  EXPECT_NEAR(p.grad().norm().item<float>(), 1.0F, 1e-4);
}

TEST(ParameterGroups, SpareNormsAndBiasesFromDecay) {
  const NamedTensors p{{"w", torch::zeros({2, 2}).requires_grad_()},
                       {"w.bias", torch::zeros({2}).requires_grad_()},
                       {"rel_pos_h", torch::zeros({3, 2}).requires_grad_()}};
  Recipe r = adamw();
  auto groups = parameter_groups(r, p);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].names, (std::vector<std::string>{"w", "rel_pos_h"}));
  r.mvit.zero_decay_pos_cls = true;
  groups = parameter_groups(r, p);
  EXPECT_EQ(groups[0].names, (std::vector<std::string>{"w"}));
}

TEST(AdamW, FirstStepMovesByTheRateAndDecays) {
  const auto w = torch::full({1, 1}, 2.0F).requires_grad_();
  AdamW optimizer({{"w", w}}, adamw());
  w.mutable_grad() = torch::full({1, 1}, -0.5F);
  optimizer.step(0.01);
  EXPECT_NEAR(w.item<float>(), 2.0 * (1 - 0.01 * 0.1) + 0.01, 1e-5);
}

TEST(AdamW, GoesOnFromItsSavedState) {
  const auto run = [](int steps, const NamedTensors* state) {
    torch::manual_seed(0);
    const auto w = torch::ones({3, 3}).requires_grad_();
    AdamW optimizer({{"w", w}}, adamw());
    if (state != nullptr) {
      TensorFile file;
      for (const auto& [name, t] : *state) file.tensors.emplace_back("o/" + name, t);
      optimizer.load_state(file, "o/");
    }
    for (int i = 0; i < steps; ++i) {
      w.mutable_grad() = torch::full({3, 3}, 0.1F * static_cast<float>(i + 1));
      optimizer.step(0.1);
    }
    NamedTensors copy;
    for (const auto& [name, t] : optimizer.state()) copy.emplace_back(name, t.clone());
    return copy;
  };
  const auto two = run(2, nullptr);
  const auto resumed = run(0, &two);
  for (std::size_t i = 0; i < two.size(); ++i) EXPECT_TRUE(two[i].second.equal(resumed[i].second)) << two[i].first;
  EXPECT_THROW(AdamW({{"w", torch::ones({3, 3}).requires_grad_()}}, adamw()).load_state({}, "o/"), Exception);
}

TEST(AdamW, RefusesOtherOptimizers) { EXPECT_THROW(AdamW({}, Recipe{}), Exception); }

}  // namespace
}  // namespace reeltag::model

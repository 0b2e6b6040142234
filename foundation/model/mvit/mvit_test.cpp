#include "reeltag/model/mvit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "net.hpp"

namespace reeltag::model {
namespace {

Recipe small() {
  Recipe r = load_recipe("MVITv2_XXS_8");
  r.model.num_classes = 5;
  return r;
}

TEST(Mvit, HasThePlansParameters) {
  const Plan plan = make_plan(small());
  const Mvit net(plan, 0);
  const auto parameters = net.parameters();
  ASSERT_EQ(parameters.size(), plan.parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].first, plan.parameters[i].name);
    ASSERT_TRUE(parameters[i].second.defined()) << parameters[i].first;
    EXPECT_EQ(parameters[i].second.sizes().vec(), plan.parameters[i].shape);
  }
}

TEST(Mvit, InitialisesAsTheReference) {
  const Mvit net(make_plan(small()), 0);
  for (const auto& [name, p] : net.parameters()) {
    if (name == "patch_embed.proj.bias") continue;
    if (p.dim() == 1) {
      EXPECT_FLOAT_EQ(p.min().item<float>(), name.ends_with("bias") ? 0.02F : 1.0F) << name;
    } else if (p.numel() > 1000) {
      EXPECT_NEAR(p.std().item<float>(), 0.02F, 0.003F) << name;
    }
  }
}

TEST(Mvit, SameSeedSameWeights) {
  const Plan plan = make_plan(small());
  const auto a = Mvit(plan, 3).parameters(), b = Mvit(plan, 3).parameters(), c = Mvit(plan, 4).parameters();
  const std::size_t last = a.size() - 2;
  EXPECT_TRUE(a[last].second.equal(b[last].second));
  EXPECT_FALSE(a[last].second.equal(c[last].second));
}

TEST(Mvit, RefusesAnotherInput) {
  Mvit net(make_plan(small()), 0);
  try {
    net.forward(torch::zeros({1, 3, 8, 64, 80}));
    FAIL();
  } catch (const Exception& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("[B,3,8,64,64]"), testing::HasSubstr("[1,3,8,64,80]")));
  }
}

TEST(Mvit, EvaluationIgnoresTheBatchAroundAClip) {
  torch::NoGradGuard no_grad;
  Mvit net(make_plan(small()), 0);
  net.set_training(false);
  const auto clips = torch::randn({3, 3, 8, 64, 64});
  EXPECT_LE((net.forward(clips).narrow(0, 1, 1) - net.forward(clips.narrow(0, 1, 1))).abs().max().item<double>(), 1e-5);
}

TEST(Mvit, DropPathDropsWholeBranchesAndKeepsTheMean) {
  Recipe recipe = small();
  recipe.mvit.droppath_rate = 0.5;
  Mvit net(make_plan(recipe), 0);
  net.set_training(true);
  torch::manual_seed(1);
  const auto clips = torch::randn({1, 3, 8, 64, 64});
  const auto a = net.forward(clips), b = net.forward(clips);
  EXPECT_GT((a - b).abs().max().item<double>(), 0.0);
}

TEST(ClosedForm, HasThePublishedValues) {
  const auto input = closed_form_input({4});
  const float want[] = {-1.6087267398834229F, 0.6094415187835693F, -1.1855030059814453F, -0.9022214412689209F};
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(input[i].item<float>(), want[i]);
}

TEST(SinCosPositions, StartWithZerosAndHaveUnitPairs) {
  const auto table = sincos_positions(32, {2, 3, 3}, true).squeeze(0);
  EXPECT_EQ(table.size(0), 19);
  EXPECT_EQ(table[0].abs().max().item<float>(), 0.0F);
  // sin^2 + cos^2 of each frequency: 16 pairs a token.
  EXPECT_NEAR(table[7].pow(2).sum().item<float>(), 16.0F, 1e-4);
}

}  // namespace
}  // namespace reeltag::model

#include "reeltag/model/mvit.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "positions.hpp"

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

TEST(Mvit, InitializesAsTheReference) {
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

TEST(Mvit, RefusesWhatIsNoClip) {
  Mvit net(make_plan(small()), 0);
  const auto refusal = [&](at::IntArrayRef shape) -> std::string {
    try {
      net.forward(torch::zeros(shape));
    } catch (const Exception& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({1, 4, 8, 64, 64}),
              testing::AllOf(testing::HasSubstr("[B,3,T,height,width]"), testing::HasSubstr("[1,4,8,64,64]")));
  EXPECT_THAT(refusal({3, 8, 64, 64}), testing::HasSubstr("[3,8,64,64]"));
  EXPECT_THAT(refusal({1, 3, 8, 64, 0}), testing::HasSubstr("do not fit clips [1,3,8,64,0]"));
}

// Nets with each kind of positions: relative, separate, joint, sine-cosine.
std::vector<Recipe> every_position() {
  Recipe relative = small(), separate = small(), joint = small(), sincos = small();
  for (Recipe* r : {&separate, &joint, &sincos}) {
    r->mvit.rel_pos_spatial = r->mvit.rel_pos_temporal = false;
    r->mvit.use_abs_pos = true;
  }
  separate.mvit.sep_pos_embed = true;
  sincos.mvit.use_fixed_sincos_pos = true;
  return {relative, separate, joint, sincos};
}

void randomize(Mvit& net) {
  torch::NoGradGuard no_grad;
  for (auto& [name, p] : net.parameters()) {
    if (p.dim() > 1 && p.requires_grad()) p.normal_(0.0, 0.2);
  }
}

bool is_table(const std::string& name) {
  return name.find("rel_pos") != std::string::npos || name.starts_with("pos_embed");
}

// If all rows of a table are equal, resampling has no effect: a net trained at one size and used at another must then
// equal a net built for that size.
TEST(Mvit, TakesClipsOfAnotherSizeAsANetBuiltForIt) {
  torch::NoGradGuard no_grad;
  for (Recipe recipe : every_position()) {
    Mvit net(make_plan(recipe), 1);
    randomize(net);
    recipe.data.num_frames = 12;
    recipe.data.train_crop_size = recipe.data.test_crop_size = 96;
    Mvit built(make_plan(recipe), 2);
    const auto target = built.parameters();
    const auto source = net.parameters();
    for (std::size_t i = 0; i < source.size(); ++i) {
      auto p = source[i].second;
      if (is_table(source[i].first) && p.requires_grad()) {
        const std::int64_t axis = p.dim() - 2;  // of the rows
        p.copy_(p.narrow(axis, 0, 1).expand_as(p));
        target[i].second.copy_(p.narrow(axis, 0, 1).expand_as(target[i].second));
      } else if (p.requires_grad()) {
        target[i].second.copy_(p);
      }
    }
    net.set_training(false);
    built.set_training(false);
    const auto clips = torch::randn({2, 3, 12, 96, 96});
    EXPECT_LE((net.forward(clips) - built.forward(clips)).abs().max().item<double>(), 1e-4);
    EXPECT_GT(built.forward(clips).std().item<double>(), 1e-3);
  }
}

// Non-square clips are not cropped: a transposed tall clip with all kernels and tables of the net transposed must give
// the same logits.
TEST(Mvit, TreatsATallClipAsAWideOneMirrored) {
  torch::NoGradGuard no_grad;
  for (const Recipe& recipe : every_position()) {
    if (recipe.mvit.use_fixed_sincos_pos) continue;  // its table is not symmetric
    const Plan plan = make_plan(recipe);
    Mvit tall(plan, 1), wide(plan, 2);
    randomize(tall);
    const auto from = tall.parameters();
    std::map<std::string, at::Tensor> into;
    for (auto& [name, p] : wide.parameters()) into[name] = p;
    for (const auto& [name, p] : from) {
      if (name.ends_with("rel_pos_h")) {
        into[name.substr(0, name.size() - 1) + "w"].copy_(p);
      } else if (name.ends_with("rel_pos_w")) {
        into[name.substr(0, name.size() - 1) + "h"].copy_(p);
      } else if (name == "pos_embed_spatial") {
        const std::int64_t h = plan.grid[1], w = plan.grid[2];
        into[name].copy_(p.view({1, h, w, -1}).transpose(1, 2).reshape_as(p));
      } else if (name == "pos_embed") {
        const std::int64_t t = plan.grid[0], h = plan.grid[1], w = plan.grid[2], cls = plan.class_token() ? 1 : 0;
        into[name].copy_(p);
        const auto patches = p.narrow(1, cls, p.size(1) - cls);
        into[name]
            .narrow(1, cls, p.size(1) - cls)
            .copy_(patches.view({1, t, h, w, -1}).transpose(2, 3).reshape_as(patches));
      } else {
        into[name].copy_(p.dim() == 5 ? p.transpose(3, 4) : p);
      }
    }
    tall.set_training(false);
    wide.set_training(false);
    const auto clips = torch::randn({1, 3, 8, 112, 64});
    const auto answer = tall.forward(clips);
    EXPECT_LE((answer - wide.forward(clips.transpose(3, 4).contiguous())).abs().max().item<double>(), 1e-4);
    EXPECT_GT((answer - tall.forward(clips.narrow(3, 24, 64).contiguous())).abs().max().item<double>(), 1e-3);
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

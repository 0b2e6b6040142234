#include "drawing.hpp"

#include <gtest/gtest.h>

namespace reeltag::model {
namespace {

using torch::Tensor;

// Concatenated outputs of the parts of a batch, each drawing from the same seed.
template <class Draw>
Tensor by_parts(const Tensor& batch, const std::vector<std::int64_t>& rows, const Draw& draw) {
  std::vector<Tensor> out;
  std::int64_t first = 0;
  for (const auto n : rows) {
    torch::manual_seed(5);
    out.push_back(draw(batch.narrow(0, first, n), BatchPart{.first = first, .of = batch.size(0)}));
    first += n;
  }
  return torch::cat(out);
}

TEST(Drawing, PartsOfABatchDropWhatTheBatchDrops) {
  const Tensor plain = torch::rand({5, 7, 11}) + 1.0;
  for (const Tensor& x : {plain, plain.permute({0, 2, 1}), torch::rand({5, 3}) + 1.0}) {
    torch::manual_seed(5);
    const Tensor whole = draw_dropout(x, 0.4, true);
    EXPECT_GT((whole == 0).sum().item<std::int64_t>(), 0);
    for (const auto& rows : {std::vector<std::int64_t>{2, 3}, {1, 1, 3}, {5}}) {
      const Tensor parts = by_parts(x, rows, [](const Tensor& part, const BatchPart& which) {
        const DrawingFor drawing(which);
        return draw_dropout(part, 0.4, true);
      });
      EXPECT_TRUE(parts.equal(whole));
    }
  }
}

TEST(Drawing, WithoutAPartIsTorchsOwn) {
  const Tensor x = torch::rand({3, 4});
  torch::manual_seed(5);
  const Tensor want = torch::dropout(x, 0.5, true), uniform = torch::rand({3, 1, 1});
  torch::manual_seed(5);
  EXPECT_TRUE(draw_dropout(x, 0.5, true).equal(want));
  EXPECT_TRUE(draw_per_sample(x).equal(uniform));
  EXPECT_TRUE(draw_dropout(x, 0.5, false).equal(x));
}

TEST(Drawing, ADividedBatchGivesTheLogitsOfTheWhole) {
  for (const char* name : {"MVITv2_XXS_8", "ImageNet/REV_VIT_S"}) {
    Recipe recipe = load_recipe(name);
    recipe.mvit.droppath_rate = 0.5;
    recipe.model.dropout_rate = 0.5;
    const Plan plan = make_plan(recipe);
    if (!plan.reversible()) recipe.mvit.dropout_rate = 0.3;
    Mvit net(make_plan(recipe), 0);
    net.set_training(true);
    torch::manual_seed(1);
    const Tensor clips =
        recipe.is_image() ? torch::randn({4, 3, 32, 32}) : torch::randn({4, 3, recipe.data.num_frames, 64, 64});
    const torch::NoGradGuard no_grad;
    torch::manual_seed(5);
    const Tensor whole = net.forward(clips);
    torch::manual_seed(6);
    EXPECT_GT((net.forward(clips) - whole).abs().max().item<double>(), 1e-3) << name << " draws nothing";
    const Tensor parts =
        by_parts(clips, {1, 3}, [&](const Tensor& part, const BatchPart& which) { return net.forward(part, which); });
    EXPECT_LE((parts - whole).abs().max().item<double>(), 1e-5) << name;
  }
}

}  // namespace
}  // namespace reeltag::model

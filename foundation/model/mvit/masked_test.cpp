#include "reeltag/model/masked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "masked_target.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

Recipe base() {
  Recipe r;
  r.model.model_name = "MaskMViT";
  r.data.num_frames = 4;
  r.data.train_crop_size = r.data.test_crop_size = 32;
  r.data.input_channel_num = {3};
  r.mask.enable = true;
  r.mvit.depth = 2;
  r.mvit.droppath_rate = 0.0;
  return r;
}

Recipe maskfeat() {
  Recipe r = base();
  r.mvit.patch_padding = {1, 3, 3};
  r.mvit.embed_dim = 16;
  r.mvit.pool_q_stride = {{1, {1, 2, 2}}};
  r.mask.pred_hog = true;
  r.mask.pretrain_depth = {1};
  return r;
}

Recipe autoencoder() {
  Recipe r = base();
  r.mvit.patch_kernel = r.mvit.patch_stride = {2, 8, 8};
  r.mvit.patch_padding = {0, 0, 0};
  r.mvit.embed_dim = 32;
  r.mvit.num_heads = 2;
  r.mask.mae_on = true;
  r.mask.head_type = "separate_xformer";
  r.mask.decoder_depth = 2;
  r.mask.decoder_embed_dim = 64;
  r.mask.pretrain_depth = {1};
  return r;
}

void randomize(MaskedMvit& net) {
  torch::NoGradGuard no_grad;
  for (auto& [name, p] : net.parameters()) {
    if (p.dim() > 1) p.normal_(0.0, 0.2);
  }
}

TEST(MaskedMvit, HasThePlansParameters) {
  for (const Recipe& recipe : {maskfeat(), autoencoder()}) {
    const Plan plan = make_plan(recipe);
    const MaskedMvit net(plan, 0);
    const auto parameters = net.parameters();
    ASSERT_EQ(parameters.size(), plan.parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      ASSERT_TRUE(parameters[i].second.defined()) << plan.parameters[i].name;
      EXPECT_EQ(parameters[i].second.sizes().vec(), plan.parameters[i].shape) << plan.parameters[i].name;
    }
  }
}

// What is hidden must not reach the prediction, and what is visible must.
TEST(MaskedMvit, PredictsWithoutSeeingWhatIsHidden) {
  torch::NoGradGuard no_grad;
  MaskedMvit net(make_plan(autoencoder()), 1);
  randomize(net);
  net.set_training(false);
  const Tensor clips = torch::randn({1, 3, 4, 32, 32});
  Tensor mask = torch::zeros({1, 2, 4, 4});
  mask[0][0][1][2] = 1;  // the patch of frames 0-1, rows 8-15, columns 16-23
  mask[0][1][3][3] = 1;
  const Tensor first = net.forward(clips, mask).prediction[0];
  Tensor other = clips.clone();
  other.narrow(2, 0, 2).narrow(3, 8, 8).narrow(4, 16, 8).fill_(5.0);
  EXPECT_TRUE(net.forward(other, mask).prediction[0].equal(first));
  other.narrow(2, 0, 2).narrow(3, 0, 8).narrow(4, 16, 8).fill_(5.0);
  EXPECT_GT((net.forward(other, mask).prediction[0] - first).abs().max().item<double>(), 1e-3);
}

TEST(MaskedMvit, GivesARowForEachHiddenToken) {
  MaskedMvit features(make_plan(maskfeat()), 1), pixels(make_plan(autoencoder()), 1);
  const Tensor clips = torch::randn({2, 3, 4, 32, 32});
  const Tensor mask = torch::zeros({2, 2, 4, 4}).index_put_({torch::indexing::Slice(), 0, 1}, 1.0);
  const auto a = features.forward(clips, mask), b = pixels.forward(clips, mask);
  EXPECT_EQ(a.prediction[0].sizes().vec(), (std::vector<std::int64_t>{8, 27}));  // grid 4x4 after pooling
  EXPECT_EQ(a.target[0].sizes(), a.prediction[0].sizes());
  EXPECT_EQ(b.prediction[0].sizes().vec(), (std::vector<std::int64_t>{8, 192}));
  EXPECT_EQ(b.target[0].sizes(), b.prediction[0].sizes());
  MaskedMvit::loss(a).backward();
  for (const auto& [name, p] : features.parameters()) EXPECT_TRUE(p.grad().defined()) << name;
}

TEST(MaskedMvit, LearnsToPredict) {
  MaskedMvit net(make_plan(autoencoder()), 1);
  net.set_training(true);
  torch::manual_seed(3);
  const Tensor clips = torch::randn({2, 3, 4, 32, 32});
  const Tensor mask = torch::zeros({2, 2, 4, 4}).index_put_({torch::indexing::Slice(), 1}, 1.0);
  std::vector<Tensor> parameters;
  for (const auto& [name, p] : net.parameters()) parameters.push_back(p);
  torch::optim::AdamW optimizer(parameters, 3e-3);
  double first = 0.0, last = 0.0;
  for (int step = 0; step < 60; ++step) {
    const Tensor loss = MaskedMvit::loss(net.forward(clips, mask));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_NEAR(first, 1.0, 0.2);  // normalised patches have variance one
  EXPECT_LT(last, 0.8 * first);
}

TEST(MaskedMvit, RefusesAMaskThatDoesNotFit) {
  MaskedMvit net(make_plan(autoencoder()), 1);
  const Tensor clips = torch::randn({2, 3, 4, 32, 32});
  const auto refusal = [&](const Tensor& mask) -> std::string {
    try {
      net.forward(clips, mask);
    } catch (const Exception& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(torch::zeros({1, 2, 4, 4})), testing::HasSubstr("one for each clip"));
  EXPECT_THAT(refusal(torch::zeros({2, 4, 4, 4})), testing::HasSubstr("has 4 frames"));
  EXPECT_THAT(refusal(torch::zeros({2, 2, 2, 2})), testing::HasSubstr("token grid"));
  Tensor uneven = torch::zeros({2, 2, 4, 4});
  uneven[0][0][0][0] = 1;
  EXPECT_THAT(refusal(uneven), testing::HasSubstr("as many tokens"));
}

TEST(PixelTargets, AreThePatchesInOrder) {
  Recipe recipe = autoencoder();
  recipe.mask.norm_pred_pixel = false;
  const Plan plan = make_plan(recipe);
  const Tensor clips = torch::randn({1, 3, 4, 32, 32});
  const Tensor patches = pixel_targets(clips, plan);
  // Token (t,y,x) = (1,2,3), pixel (5,6) of it, colour 1: of frame 2, the first of its two.
  EXPECT_EQ(patches[0][1 * 16 + 2 * 4 + 3][(5 * 8 + 6) * 3 + 1].item<float>(),
            clips[0][1][2][2 * 8 + 5][3 * 8 + 6].item<float>());
}

}  // namespace
}  // namespace reeltag::model

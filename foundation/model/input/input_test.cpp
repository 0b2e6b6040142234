#include "reeltag/model/input.hpp"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace reeltag::model {
namespace {

ClipSpec small() { return clip_spec(load_recipe("MVITv2_XXS_8")); }

TEST(ClipSpec, FollowsTheRecipe) {
  const ClipSpec spec = small();
  EXPECT_EQ(spec.frames, 8);
  EXPECT_EQ(spec.height, 64);
  EXPECT_EQ(spec.width, 64);
  EXPECT_TRUE(spec.uniform);
  EXPECT_DOUBLE_EQ(spec.test_crop, 1.0);
  const ClipSpec kinetics = clip_spec(load_recipe("MVITv2_S_16x4"));
  EXPECT_FALSE(kinetics.uniform);
  EXPECT_NEAR(kinetics.step, 4.0 / 30.0, 1e-12);
  EXPECT_NEAR(kinetics.test_crop, 224.0 / 256.0, 1e-12);
}

TEST(ViewTimes, LieInTheMiddleOfEqualParts) {
  const auto times = view_times(small(), {1.0, 5.0});
  ASSERT_EQ(times.size(), 8U);
  EXPECT_DOUBLE_EQ(times.front(), 1.25);
  EXPECT_DOUBLE_EQ(times.back(), 4.75);
}

TEST(ViewTimes, AtARateAreAroundTheMiddleAndNeverNegative) {
  const ClipSpec spec = clip_spec(load_recipe("MVITv2_S_16x4"));
  const auto times = view_times(spec, {0.0, 20.0});
  EXPECT_NEAR((times.front() + times.back()) / 2, 10.0, 1e-9);
  EXPECT_NEAR(times[1] - times[0], spec.step, 1e-9);
  EXPECT_GE(view_times(spec, {0.0, 0.5}).front(), 0.0);
}

TEST(Cover, OverlapsByHalfAndReachesBothEnds) {
  const auto views = cover(10.0, 2.0, 100);
  ASSERT_EQ(views.size(), 9U);
  EXPECT_DOUBLE_EQ(views.front().start, 0.0);
  EXPECT_DOUBLE_EQ(views.back().end, 10.0);
  for (std::size_t i = 1; i < views.size(); ++i) EXPECT_NEAR(views[i].start - views[i - 1].start, 1.0, 1e-9);
}

TEST(Cover, NeverOverlapsLessThanHalfUnlessLimited) {
  for (const double duration : {2.1, 3.0, 7.7, 61.3}) {
    const auto views = cover(duration, 2.0, 1000);
    for (std::size_t i = 1; i < views.size(); ++i) EXPECT_LE(views[i].start - views[i - 1].start, 1.0 + 1e-9);
    EXPECT_NEAR(views.back().end, duration, 1e-9);
  }
  EXPECT_EQ(cover(600.0, 2.0, 20).size(), 20U);
}

TEST(Cover, ShortOrUnknownVideosHaveOneView) {
  EXPECT_EQ(cover(1.5, 2.0, 100).size(), 1U);
  EXPECT_EQ(cover(0.0, 2.0, 100).size(), 1U);
  EXPECT_EQ(cover(100.0, 2.0, 1).size(), 1U);
  EXPECT_DOUBLE_EQ(cover(100.0, 2.0, 1)[0].end, 100.0);
}

TEST(RandomCrop, StaysInsideAndWithinItsAreaAndAspect) {
  const ClipSpec spec = small();
  Random random(3);
  double smallest = 1.0, largest = 0.0;
  for (int i = 0; i < 2000; ++i) {
    const CropBox box = random_crop(spec, 96, 170, random);
    ASSERT_GE(box.x, 0);
    ASSERT_GE(box.y, 0);
    ASSERT_LE(box.x + box.width, 170);
    ASSERT_LE(box.y + box.height, 96);
    const double area = static_cast<double>(box.width) * box.height / (96.0 * 170.0);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    EXPECT_GT(static_cast<double>(box.width) / box.height, 0.73);
    EXPECT_LT(static_cast<double>(box.width) / box.height, 1.36);
  }
  EXPECT_NEAR(smallest, 0.35, 0.02);
  EXPECT_GT(largest, 0.6);
}

TEST(RandomCrop, FallsBackToACentralBoxOfAnAllowedAspect) {
  ClipSpec spec = small();
  spec.area = {1.0, 1.0};
  Random random(1);
  const CropBox box = random_crop(spec, 100, 400, random);
  EXPECT_EQ(box.height, 100);
  EXPECT_EQ(box.width, 133);
  EXPECT_EQ(box.x, 133);
}

media::Frames gradient(int height, int width) {
  media::Frames f{.count = 2, .height = height, .width = width, .data = {}, .times = {0.0, 1.0}};
  for (int t = 0; t < 2; ++t) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        f.data.push_back(static_cast<std::uint8_t>(2 * x));
        f.data.push_back(static_cast<std::uint8_t>(2 * y));
        f.data.push_back(static_cast<std::uint8_t>(100 * t));
      }
    }
  }
  return f;
}

TEST(WriteClip, ResizesNormalizesAndMirrors) {
  ClipSpec spec = small();
  spec.frames = 2;
  spec.height = spec.width = 8;
  const auto frames = gradient(32, 64);
  const std::vector<int> indices{1, 0};
  std::vector<float> clip(spec.clip_size()), mirrored(spec.clip_size());
  const CropBox box{.x = 16, .y = 0, .width = 32, .height = 32};
  write_clip(frames, indices, box, false, spec, clip.data());
  write_clip(frames, indices, box, true, spec, mirrored.data());
  const auto at = [&](const std::vector<float>& v, int c, int t, int y, int x) {
    return v[((static_cast<std::size_t>(c) * 2 + t) * 8 + y) * 8 + x];
  };
  // Output pixel 3 covers input pixels 12..15 of the box: its centre is 13.5, so red is 2*(16+13.5).
  EXPECT_NEAR(at(clip, 0, 0, 0, 3), (59.0F / 255.0F - 0.45F) / 0.225F, 1e-4);
  EXPECT_NEAR(at(clip, 1, 0, 3, 0), (27.0F / 255.0F - 0.45F) / 0.225F, 1e-4);
  EXPECT_NEAR(at(clip, 2, 0, 0, 0), (100.0F / 255.0F - 0.45F) / 0.225F, 1e-4);  // frame 1 comes first
  EXPECT_NEAR(at(clip, 2, 1, 0, 0), (0.0F - 0.45F) / 0.225F, 1e-4);
  EXPECT_FLOAT_EQ(at(clip, 0, 0, 2, 1), at(mirrored, 0, 0, 2, 6));
}

TEST(WriteClip, ReversesChannelsBehindNormalising) {
  Recipe recipe = load_recipe("SSv2/MVITv2_S_16x4");
  ASSERT_TRUE(recipe.data.reverse_input_channel);
  recipe.data.mean = {0.1, 0.2, 0.3};
  recipe.data.std = {0.5, 0.6, 0.7};
  ClipSpec spec = clip_spec(recipe);
  spec.frames = 1;
  spec.height = spec.width = 1;
  const media::Frames frame{.count = 1, .height = 1, .width = 1, .data = {51, 102, 204}, .times = {0.0}};
  std::vector<float> clip(3);
  write_clip(frame, std::vector<int>{0}, {.x = 0, .y = 0, .width = 1, .height = 1}, false, spec, clip.data());
  EXPECT_NEAR(clip[0], (0.8F - 0.3F) / 0.7F, 1e-5);  // blue first
  EXPECT_NEAR(clip[1], (0.4F - 0.2F) / 0.6F, 1e-5);
  EXPECT_NEAR(clip[2], (0.2F - 0.1F) / 0.5F, 1e-5);
}

TEST(Fit, KeepsTheShapeOfThePicture) {
  ClipSpec spec = small();
  EXPECT_EQ(fit(spec, 170, 96).height, 64);  // square by default
  spec.whole_picture = true;
  const ClipSpec tall = fit(spec, 170, 96), wide = fit(spec, 96, 170), square = fit(spec, 96, 96);
  EXPECT_EQ(tall.height, 128);  // 64 * 170 / 96 = 113.3: the next multiple of 32
  EXPECT_EQ(tall.width, 64);
  EXPECT_EQ(wide.height, 64);
  EXPECT_EQ(wide.width, 128);
  EXPECT_EQ(square.height, 64);
  EXPECT_EQ(square.width, 64);
  const CropBox all = test_region(spec, 170, 96);
  EXPECT_EQ(all.height, 170);
  EXPECT_EQ(all.width, 96);
}

TEST(Fit, BoundsAPictureThatIsAStrip) {
  ClipSpec spec = small();
  spec.whole_picture = true;
  const CropBox box = test_region(spec, 10, 4000);
  EXPECT_EQ(box.width, 40);
  EXPECT_EQ(box.x, 1980);
  EXPECT_EQ(fit(spec, 10, 4000).width, 256);
}

TEST(WriteClip, FillsATallClip) {
  ClipSpec spec = small();
  spec.frames = 1;
  spec.height = 16;
  spec.width = 8;
  const auto frames = gradient(64, 32);
  std::vector<float> clip(spec.clip_size());
  write_clip(frames, std::vector<int>{0}, {.x = 0, .y = 0, .width = 32, .height = 64}, false, spec, clip.data());
  // Row 15 covers input rows 60..63, its centre is 61.5; column 7 covers 28..31, its centre is 29.5.
  EXPECT_NEAR(clip[15 * 8 + 7], (59.0F / 255.0F - 0.45F) / 0.225F, 1e-4);
  EXPECT_NEAR(clip[128 + 15 * 8 + 7], (123.0F / 255.0F - 0.45F) / 0.225F, 1e-4);
}

}  // namespace
}  // namespace reeltag::model

#include "reeltag/model/extractor.hpp"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model {
namespace {

using testing::HasSubstr;

// Synthetic frames for wanted(); each picture depends only on its time.
media::Frames film(const Extractor::FramePlan& wanted) {
  media::Frames f{.count = static_cast<int>(wanted.times.size()),
                  .height = wanted.scale.short_side,
                  .width = wanted.scale.short_side * 4 / 3,
                  .data = {},
                  .times = wanted.times};
  for (const double t : wanted.times) {
    for (int y = 0; y < f.height; ++y) {
      for (int x = 0; x < f.width; ++x) {
        for (const double phase : {0.0, 2.1, 4.2})
          f.data.push_back(static_cast<std::uint8_t>(127 + 120 * std::sin(0.05 * x + 0.03 * y + phase + 2 * t)));
      }
    }
  }
  return f;
}

class Blocks : public testing::Test {
 protected:
  Blocks() {
    Bundle b{.name = "net", .recipe = load_recipe("MVITv2_XXS_8"), .vocabulary = {"a", "b"}};
    b.recipe.model.num_classes = 2;
    b.scoring.thresholds = {0.5, 0.5};
    save(b, "net");
  }
  void save(const Bundle& b, const char* name) const {
    NamedArrays net;
    for (const auto& [parameter, shape] : make_plan(b.recipe).parameters)
      net.emplace_back(parameter, Array{shape, closed_form_weight(parameter, shape)});
    save_bundle(folder_.path() / name, b, &net, Precision::float32);
  }
  Extractor make(std::vector<std::string> blocks, int frames = 4) {
    return Extractor({.blocks = std::move(blocks), .image_frames = frames}, folder_.path() / "net",
                     find_image_encoder({}));
  }
  static std::vector<std::vector<float>> of(Extractor& e, const std::vector<View>& views,
                                            TimeOrder order = TimeOrder::forward) {
    return value_or_throw(e.features(film(e.wanted(views)), views.size(), {&order, 1})).front();
  }
  static void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance = 1e-4) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
  }

  TemporaryFolder folder_;
};

TEST_F(Blocks, OfJoinedVideosAreThoseOfEach) {
  Extractor all = make({kImageMean, kMvitBlock, kImageDelta});
  const std::vector<View> first{{0.0, 4.0}, {1.0, 3.0}}, second{{5.0, 9.0}};
  media::Frames a = film(all.wanted(first)), b = film(all.wanted(second));
  const auto other = value_or_throw(all.features(b, 1));
  // Both videos have the same frame times; their frames must not be mixed up.
  const auto net = static_cast<std::ptrdiff_t>(b.times.size()) - 4;
  std::copy_n(a.times.begin(), net, b.times.begin());
  std::copy_n(a.times.begin() + 2 * net, 4, b.times.begin() + net);
  const std::vector<Extractor::VideoFrames> parts{{&a, first.size()}, {&b, second.size()}};
  const auto rows = value_or_throw(all.features(all.join(parts), 3));
  const auto alone = value_or_throw(all.features(a, 2));
  ASSERT_EQ(rows.size(), 3U);
  expect_near(rows[0], alone[0], 2e-4);
  expect_near(rows[1], alone[1], 2e-4);
  expect_near(rows[2], other[0], 2e-4);
  media::Frames smaller = value_or_throw(media::resize(b, {.short_side = 32}));
  const std::vector<Extractor::VideoFrames> unlike{{&a, first.size()}, {&smaller, second.size()}};
  EXPECT_THROW((void)all.join(unlike), Exception);
}

TEST_F(Blocks, StandOneBlockAfterTheOther) {
  Extractor all = make({kImageMean, kMvitBlock, kImageDelta});
  ASSERT_EQ(all.blocks().size(), 3U);
  const int net = all.blocks()[1].width;
  EXPECT_EQ(all.width(), 2 * ImageEncoder::kFeatures + net);
  const std::vector<View> views{{0.0, 4.0}, {1.0, 3.0}};
  const auto rows = of(all, views);
  ASSERT_EQ(rows.size(), 2U);
  Extractor mean = make({kImageMean}), change = make({kImageDelta});
  const auto part = [&](std::size_t v, int first, int count) {
    return std::vector<float>(rows[v].begin() + first, rows[v].begin() + first + count);
  };
  // The other order of blocks decodes at another size only where there is no image encoder.
  for (std::size_t v = 0; v < 2; ++v) {
    expect_near(part(v, 0, ImageEncoder::kFeatures), of(mean, views)[v]);
    expect_near(part(v, ImageEncoder::kFeatures + net, ImageEncoder::kFeatures), of(change, views)[v]);
  }
}

TEST_F(Blocks, OfAViewDoNotDependOnTheOthers) {
  Extractor all = make({kMvitBlock, kImageMean, kImageDelta});
  std::vector<View> views;
  for (int i = 0; i < 11; ++i) views.push_back({0.5 * i, 0.5 * i + 2.0});  // more than a batch, overlapping
  const auto rows = of(all, views);
  expect_near(of(all, {views[10]})[0], rows[10]);
  expect_near(of(all, {views[3]})[0], rows[3]);
}

TEST_F(Blocks, ViewsThatOverlapShareTheImageEncodersFrames) {
  Extractor mean = make({kImageMean});
  std::vector<View> views;
  for (int i = 0; i < 8; ++i) views.push_back({0.93 * i, 0.93 * i + 2.0});
  std::set<long> distinct;  // in microseconds: closer times show one frame
  for (const double t : mean.wanted(views).times) distinct.insert(std::lround(1e6 * t));
  EXPECT_LE(distinct.size(), 4U + 7 * 2);
  for (std::size_t v = 0; v < views.size(); ++v) {
    for (int i = 0; i < 4; ++i) {
      const double t = mean.wanted(views).times[v * 4 + static_cast<std::size_t>(i)];
      EXPECT_GE(t, views[v].start - 0.25);
      EXPECT_LE(t, views[v].end + 0.25);
    }
  }
}

TEST_F(Blocks, TimeOrdersChangeWhatReadsTime) {
  Extractor mean = make({kImageMean}), change = make({kImageDelta}), net = make({kMvitBlock});
  const std::vector<View> view{{0.0, 3.0}};
  expect_near(of(mean, view, TimeOrder::reversed)[0], of(mean, view)[0]);
  expect_near(of(mean, view, TimeOrder::shuffled)[0], of(mean, view)[0]);
  expect_near(of(change, view, TimeOrder::reversed)[0], of(change, view)[0]);
  const Features still = of(change, view, TimeOrder::repeated);
  for (const float x : still[0]) ASSERT_EQ(x, 0.0F);
  EXPECT_NE(of(change, view, TimeOrder::shuffled)[0], of(change, view)[0]);
  for (const auto order : {TimeOrder::repeated, TimeOrder::shuffled, TimeOrder::reversed})
    EXPECT_NE(of(net, view, order)[0], of(net, view)[0]);
}

TEST_F(Blocks, OfManyOrdersAreThoseOfEach) {
  Extractor all = make({kMvitBlock, kImageMean, kImageDelta});
  const std::vector<View> views{{0.0, 3.0}, {1.0, 2.0}};
  const std::vector<TimeOrder> orders{TimeOrder::reversed, TimeOrder::forward, TimeOrder::repeated};
  const auto together = value_or_throw(all.features(film(all.wanted(views)), views.size(), orders));
  ASSERT_EQ(together.size(), 3U);
  for (std::size_t i = 0; i < orders.size(); ++i) expect_near(together[i][1], of(all, views, orders[i])[1]);
}

// A block computed alone, at the common decode size, equals the block computed with the others.
TEST_F(Blocks, AloneAreWhatTheyAreTogether) {
  Extractor all = make({kMvitBlock, kImageMean});
  Extractor net({.blocks = {kMvitBlock}, .short_side = ImageEncoder::kSide}, folder_.path() / "net", {});
  const std::vector<View> view{{0.0, 3.0}};
  auto row = of(all, view)[0];
  row.resize(static_cast<std::size_t>(net.width()));
  expect_near(of(net, view)[0], row);
  EXPECT_NE(net.id(), make({kMvitBlock}).id());
}

TEST_F(Blocks, OneFrameHasNoChange) {
  Extractor change = make({kImageMean, kImageDelta}, 1);
  const auto row = of(change, {{0.0, 1.0}})[0];
  for (std::size_t i = ImageEncoder::kFeatures; i < row.size(); ++i) ASSERT_EQ(row[i], 0.0F);
}

TEST_F(Blocks, FramesOfOneColorDoNotCount) {
  Extractor e = make({kImageMean, kImageDelta}, 4);
  const std::vector<View> views{{0.0, 4.0}};
  const auto film_of = [&](const std::vector<double>& times) {
    auto plan = e.wanted(views);
    plan.times = times;
    auto frames = film(plan);
    frames.times = e.wanted(views).times;
    return frames;
  };
  const auto paint = [](media::Frames& frames, int index, int color, int noise) {
    const auto bytes = static_cast<std::ptrdiff_t>(frames.frame_bytes());
    for (auto at = index * bytes; at < (index + 1) * bytes; ++at)
      frames.data[static_cast<std::size_t>(at)] =
          static_cast<std::uint8_t>(color + (at % 3 == 0 ? at / 3 % 2 * noise : 0));
  };
  const auto rows = [&](const media::Frames& frames) { return value_or_throw(e.features(frames, 1)).front(); };
  // Two frames of a scene among black ones, behind white ones and with a grey one between are those two frames.
  const auto alone = rows(film_of({0.5, 1.5, 0.5, 1.5}));
  const std::vector<float> mean(alone.begin(), alone.begin() + 1280);
  for (const auto& [first, second, color, noise] :
       {std::tuple{0, 1, 0, 0}, {2, 3, 255, 0}, {0, 3, 16, 4}, {1, 2, 120, 2}}) {
    auto frames = film_of({0.5, 0.5, 0.5, 0.5});
    auto other = film_of({1.5, 1.5, 1.5, 1.5});
    for (int i = 0; i < 4; ++i) {
      if (i == second)
        std::copy_n(other.frame(i).begin(), other.frame_bytes(),
                    frames.data.begin() + static_cast<std::ptrdiff_t>(i * frames.frame_bytes()));
      if (i != first && i != second) paint(frames, i, color, noise);
    }
    const auto got = rows(frames);
    expect_near({got.begin(), got.begin() + 1280}, mean);
  }
  // Nothing but black is what it is.
  auto black = film_of({0, 0, 0, 0});
  for (int i = 0; i < 4; ++i) paint(black, i, 0, 0);
  const auto nothing = rows(black);
  for (int i = 1280; i < 2560; ++i) EXPECT_EQ(nothing[static_cast<std::size_t>(i)], 0.0F);
  EXPECT_NE(std::vector<float>(nothing.begin(), nothing.begin() + 1280), mean);
}

TEST_F(Blocks, TheirNameFollowsFromAllThatTheyDependOn) {
  const std::string id = make({kImageMean}).id();
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(make({kImageMean}).id(), id);
  EXPECT_NE(make({kImageDelta}).id(), id);
  EXPECT_NE(make({kImageMean}, 8).id(), id);
  EXPECT_NE(make({kMvitBlock, kImageMean}).id(), make({kImageMean, kMvitBlock}).id());
}

TEST_F(Blocks, WhatThereIsNotIsNamed) {
  for (const auto& [blocks, word] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"audio"}, "audio; there are mvit"}, {{}, "at least one"}, {{kMvitBlock, kMvitBlock}, "twice"}}) {
    try {
      make(blocks);
      FAIL() << word;
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      EXPECT_THAT(e.what(), HasSubstr(word));
    }
  }
}

TEST_F(Blocks, NetsThatReadAtAFixedRateTakeSeveralViews) {
  Bundle b{.name = "rate", .recipe = load_recipe("MVITv2_XXS_8"), .vocabulary = {"a", "b"}};
  b.recipe.model.num_classes = 2;
  b.recipe.own.sampler = "rate";
  b.recipe.data.sampling_rate = 4;
  b.recipe.test.num_ensemble_views = 5;
  b.scoring.thresholds = {0.5, 0.5};
  save(b, "rate");
  const Extractor rate({.blocks = {kMvitBlock}}, folder_.path() / "rate", {});
  EXPECT_FALSE(rate.spans_video());
  EXPECT_EQ(rate.whole(60.0).size(), 5U);
  EXPECT_EQ(rate.whole(0.5).size(), 1U);
  EXPECT_TRUE(make({kMvitBlock}).spans_video());
  EXPECT_EQ(make({kMvitBlock}).whole(60.0).size(), 1U);
}

}  // namespace
}  // namespace reeltag::model

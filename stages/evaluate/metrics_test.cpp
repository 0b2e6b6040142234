#include "metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace reeltag::evaluate {
namespace {

using dataset::LabelMode;

Sample sample(std::vector<float> scores, std::vector<int> labels, std::string group = "g") {
  return {std::move(group), std::move(labels), std::move(scores)};
}

Metrics figures(const std::vector<Sample>& samples, LabelMode mode, int resamples = 0) {
  return measure(samples, std::vector<double>(samples.front().scores.size(), 0.5), mode, resamples);
}

TEST(Metrics, MeanApEqualsTheReference) {
  // Scores and labels of PySlowFast's mAP vector (sklearn); class 3 has no positive and does not count.
  const std::vector<Sample> samples{sample({0.88202441F, 0.91201580F, 0.16340852F, 0.21711493F, 0.41185403F}, {2}),
                                    sample({0.21954894F, 0.76121652F, 0.15750492F, 0.74109149F, 0.00459909F}, {1}),
                                    sample({0.98141849F, 0.97540104F, 0.76066732F, 0.10142982F, 0.02873671F}, {0, 2}),
                                    sample({0.33531022F, 0.37342811F, 0.33672798F, 0.76107562F, 0.23294902F}, {0, 4}),
                                    sample({0.47500670F, 0.63871837F, 0.68426883F, 0.44079900F, 0.67122030F}, {1, 4}),
                                    sample({0.43112922F, 0.95140815F, 0.48254848F, 0.50376761F, 0.48260784F}, {2, 4}),
                                    sample({0.78895569F, 0.80307412F, 0.32912230F, 0.78268111F, 0.84877586F}, {0}),
                                    sample({0.95431435F, 0.52748346F, 0.88840902F, 0.60091794F, 0.80853808F}, {1})};
  const Metrics m = figures(samples, LabelMode::multi);
  EXPECT_NEAR(m.map.value, 0.471031746031746, 1e-12);
  EXPECT_TRUE(std::isnan(m.classes[3].ap.value));
}

TEST(Metrics, SingleLabelTopKIsTheRankOfTheLabel) {
  const std::vector<Sample> samples{sample({.6F, .5F, .4F, .3F, .2F, .1F}, {0}),   // rank 1
                                    sample({.6F, .5F, .4F, .3F, .2F, .1F}, {4}),   // rank 5
                                    sample({.6F, .5F, .4F, .3F, .2F, .1F}, {5})};  // rank 6
  const Metrics m = figures(samples, LabelMode::single);
  EXPECT_DOUBLE_EQ(m.top1.value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(m.top5.value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(m.chance_top1, 1.0 / 3);
  EXPECT_EQ(m.confusion[4][0], 1);
  EXPECT_EQ(m.confusion[0][0], 1);
  EXPECT_DOUBLE_EQ(m.classes[0].accuracy, 1.0);
  EXPECT_DOUBLE_EQ(m.classes[4].accuracy, 0.0);
}

TEST(Metrics, EqualScoresStandInTheOrderOfClasses) {
  const std::vector<Sample> samples{sample({.5F, .5F}, {0}), sample({.5F, .5F}, {1})};
  const Metrics m = figures(samples, LabelMode::single);
  EXPECT_DOUBLE_EQ(m.top1.value, 0.5);
  // Class 1: both videos score .5, its true one stands second: 1/2. Class 0: first: 1.
  EXPECT_DOUBLE_EQ(m.classes[0].ap.value, 1.0);
  EXPECT_DOUBLE_EQ(m.classes[1].ap.value, 0.5);
}

TEST(Metrics, VideosWithoutALabelAreMissesForHitButNotForTop) {
  const std::vector<Sample> samples{sample({.9F, .1F, .2F}, {0, 2}), sample({.9F, .1F, .2F}, {})};
  const Metrics m = figures(samples, LabelMode::multi);
  EXPECT_EQ(m.videos, 2);
  EXPECT_EQ(m.labelled, 1);
  EXPECT_DOUBLE_EQ(m.top1.value, 1.0);
  EXPECT_DOUBLE_EQ(m.hit1.value, 0.5);
  EXPECT_DOUBLE_EQ(m.perr.value, 0.5);  // 2 of the best 2 are true, and 0 for the other video
}

TEST(Metrics, PerrCountsOnlyScoresAboveZero) {
  // Three true hashtags, so the best three are looked at: .9 true, .8 false, then 0 (class 1, true) which does not
  // count.
  const std::vector<Sample> samples{sample({.9F, 0.F, .8F, 0.F}, {0, 1, 3})};
  EXPECT_DOUBLE_EQ(figures(samples, LabelMode::multi).perr.value, 1.0 / 3);
}

TEST(Metrics, GapPoolsTheBestTwentyOfAVideoOverAllPositives) {
  // Pool by score: .9 true, .8 false, .7 true, .1 false.
  const std::vector<Sample> two{sample({.9F, .8F}, {0}), sample({.1F, .7F}, {1})};
  EXPECT_DOUBLE_EQ(figures(two, LabelMode::multi).gap20.value, (1.0 + 2.0 / 3) / 2);
  // 22 classes: the true one at rank 21 is not pooled but stays in the denominator.
  std::vector<float> scores;
  for (int c = 0; c < 22; ++c) scores.push_back(1.0F - 0.01F * static_cast<float>(c));
  const std::vector<Sample> deep{sample(scores, {0, 20})};
  EXPECT_DOUBLE_EQ(figures(deep, LabelMode::multi).gap20.value, 0.5);
}

TEST(Metrics, PrecisionAndRecallAtTheThresholdOfEachClass) {
  const std::vector<Sample> samples{sample({.9F, .2F}, {0}), sample({.6F, .3F}, {1}), sample({.4F, .1F}, {0})};
  const Metrics m = measure(samples, std::vector<double>{0.5, 0.35}, LabelMode::multi, 0);
  EXPECT_DOUBLE_EQ(m.classes[0].precision, 0.5);
  EXPECT_DOUBLE_EQ(m.classes[0].recall, 0.5);
  EXPECT_TRUE(std::isnan(m.classes[1].precision));  // never predicted
  EXPECT_DOUBLE_EQ(m.classes[1].recall, 0.0);
  EXPECT_EQ(m.classes[0].support, 2);
  EXPECT_DOUBLE_EQ(m.classes[0].prior, 2.0 / 3);
}

TEST(Metrics, NothingLabelledIsNoNumber) {
  const Metrics m = figures({sample({.9F, .1F}, {}), sample({.2F, .1F}, {})}, LabelMode::multi, 50);
  EXPECT_TRUE(std::isnan(m.top1.value));
  EXPECT_TRUE(std::isnan(m.map.value));
  EXPECT_TRUE(std::isnan(m.gap20.value));
  EXPECT_DOUBLE_EQ(m.hit1.value, 0.0);
}

std::vector<Sample> half_right(int videos, int per_group) {
  std::vector<Sample> samples;
  for (int i = 0; i < videos; ++i) {
    const bool right = (i / per_group) % 2 == 0;
    samples.push_back(sample({right ? .9F : .1F, .5F}, {0}, "g" + std::to_string(i / per_group)));
  }
  return samples;
}

TEST(Metrics, IntervalOfAShareIsTheBinomialOne) {
  const Figure f = figures(half_right(400, 1), LabelMode::single, 1000).top1;
  EXPECT_DOUBLE_EQ(f.value, 0.5);
  EXPECT_NEAR(f.low, 0.5 - 1.96 * 0.025, 0.01);
  EXPECT_NEAR(f.high, 0.5 + 1.96 * 0.025, 0.01);
}

TEST(Metrics, FewVideosHaveAWideInterval) {
  for (const int videos : {1, 3, 10}) {
    std::vector<Sample> samples;
    for (int i = 0; i < videos; ++i) samples.push_back(sample({.9F, .1F}, {0}, "g" + std::to_string(i)));
    const Figure f = figures(samples, LabelMode::single, 200).top1;
    EXPECT_DOUBLE_EQ(f.value, 1.0);
    EXPECT_DOUBLE_EQ(f.high, 1.0);
    EXPECT_NEAR(f.low, 1 / (1 + 1.96 * 1.96 / videos), 1e-9) << videos;
  }
  // Ten videos of one group are one draw.
  EXPECT_LT(figures(half_right(10, 10), LabelMode::single, 200).top1.low, 0.25);
}

TEST(Metrics, VideosOfAGroupAreResampledTogether) {
  // 400 videos in 40 groups that are right or wrong as one: the interval is that of 40 draws.
  const Figure f = figures(half_right(400, 10), LabelMode::single, 1000).top1;
  EXPECT_NEAR(f.high - f.low, 2 * 1.96 * std::sqrt(0.25 / 40), 0.05);
}

TEST(Metrics, IntervalsAreTheSameInEveryRun) {
  const auto samples = half_right(60, 2);
  const Metrics a = figures(samples, LabelMode::single, 200), b = figures(samples, LabelMode::single, 200);
  EXPECT_EQ(a.map.low, b.map.low);
  EXPECT_EQ(a.gap20.high, b.gap20.high);
  EXPECT_LE(a.map.low, a.map.value);
  EXPECT_GE(a.map.high, a.map.value);
}

TEST(Metrics, AResampledVideoCountsAsTwoCopiesWould) {
  // One group: every resample is the data itself, so the interval has no width whatever the figure is.
  std::vector<Sample> samples{sample({.9F, .8F, .1F}, {1}), sample({.3F, .6F, .2F}, {1, 2}),
                              sample({.4F, .7F, .5F}, {0})};
  const Metrics m = figures(samples, LabelMode::multi, 20);
  EXPECT_DOUBLE_EQ(m.map.low, m.map.value);
  EXPECT_DOUBLE_EQ(m.gap20.high, m.gap20.value);
}

TEST(Metrics, RefusesWhatContradictsItself) {
  const auto refused = [](const std::vector<Sample>& samples, LabelMode mode) {
    EXPECT_THROW(measure(samples, std::vector<double>{0.5, 0.5}, mode, 0), Exception);
  };
  refused({sample({.1F}, {})}, LabelMode::multi);
  refused({sample({.1F, .2F}, {2})}, LabelMode::multi);
  refused({sample({.1F, .2F}, {-1})}, LabelMode::multi);
  refused({sample({.1F, .2F}, {1, 0})}, LabelMode::multi);
  refused({sample({.1F, .2F}, {0, 0})}, LabelMode::multi);
  refused({sample({.1F, .2F}, {0, 1})}, LabelMode::single);
  refused({sample({std::numeric_limits<float>::quiet_NaN(), .2F}, {0})}, LabelMode::single);
}

}  // namespace
}  // namespace reeltag::evaluate

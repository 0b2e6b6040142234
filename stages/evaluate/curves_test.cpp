#include "curves.hpp"

#include <gtest/gtest.h>

namespace reeltag::evaluate {
namespace {

using dataset::LabelMode;

TEST(Curves, PrecisionAndRecallFallAndRise) {
  // By score: .9 true, .8 false, .6 true, .2 false.
  const std::vector<Sample> samples{{"a", {0}, {.9F, .8F}}, {"b", {1}, {.2F, .6F}}};
  const Curves c = draw_curves(samples, 2, LabelMode::multi);
  ASSERT_EQ(c.precision_recall.size(), 2U);
  EXPECT_DOUBLE_EQ(c.precision_recall[0].precision, 1.0);
  EXPECT_DOUBLE_EQ(c.precision_recall[0].recall, 0.5);
  EXPECT_NEAR(c.precision_recall[0].threshold, 0.9, 1e-3);
  EXPECT_DOUBLE_EQ(c.precision_recall[1].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(c.precision_recall[1].recall, 1.0);
}

TEST(Curves, ScoresCountInTheirBins) {
  const std::vector<Sample> samples{{"a", {0}, {1.0F, 0.0F, .051F}}};
  const Curves c = draw_curves(samples, 3, LabelMode::multi);
  EXPECT_EQ(c.true_scores[19], 1);
  EXPECT_EQ(c.false_scores[0], 1);
  EXPECT_EQ(c.false_scores[1], 1);
}

TEST(Curves, ReliabilityOfOneLabelLooksAtTheBestScore) {
  const std::vector<Sample> samples{
      {"a", {0}, {.75F, .25F}}, {"b", {0}, {.75F, .25F}}, {"c", {1}, {.75F, .25F}}, {"d", {0}, {.75F, .25F}}};
  const Curves c = draw_curves(samples, 2, LabelMode::single);
  EXPECT_EQ(c.reliability[7].count, 4);
  EXPECT_DOUBLE_EQ(c.reliability[7].share, 0.75);
  EXPECT_NEAR(c.calibration_error, 0.0, 1e-9);
}

TEST(Curves, CalibrationErrorIsTheMeanGap) {
  // Two false entries with score .9 and two true ones with .1: each is off by .9.
  const std::vector<Sample> samples{{"a", {1}, {.9F, .1F}}, {"b", {1}, {.9F, .1F}}};
  EXPECT_NEAR(draw_curves(samples, 2, LabelMode::multi).calibration_error, 0.9, 1e-6);
}

TEST(Curves, ManyPointsAreThinned) {
  std::vector<Sample> samples;
  for (int i = 0; i < 5000; ++i)
    samples.push_back({"g", i % 3 == 0 ? std::vector<int>{0} : std::vector<int>{}, {static_cast<float>(i) / 5000}});
  const auto points = draw_curves(samples, 1, LabelMode::multi).precision_recall;
  EXPECT_LE(points.size(), 201U);
  EXPECT_GT(points.size(), 150U);
  EXPECT_DOUBLE_EQ(points.back().recall, 1.0);
  EXPECT_NEAR(points.back().precision, 1.0 / 3, 0.01);
}

TEST(Curves, NothingTrueHasNoCurve) {
  EXPECT_TRUE(draw_curves(std::vector<Sample>{{"a", {}, {.5F}}}, 1, LabelMode::multi).precision_recall.empty());
}

}  // namespace
}  // namespace reeltag::evaluate

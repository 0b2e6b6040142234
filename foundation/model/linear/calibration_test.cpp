#include "reeltag/model/calibration.hpp"

#include <cmath>
#include <tuple>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "reeltag/base/error.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

double value(const Tensor& t, std::int64_t i) { return t[i].item<double>(); }
double largest(const Tensor& t) { return t.abs().max().item<double>(); }

// Logits whose true probability is sigmoid(scale_k * logit + shift_k), and labels drawn from it.
struct Sample {
  Tensor logits;  // [N,K]
  Labels labels;
};

struct Tags {
  Tensor scale, shift;  // [K]: the head's miscalibration
  Tensor rarity;        // [K]: mean of the true logits

  [[nodiscard]] Sample draw(std::int64_t rows) const {
    const Tensor truth = rarity + 2.0 * torch::randn({rows, rarity.size(0)}, torch::kDouble);
    return {(truth - shift) / scale, tag_labels(torch::bernoulli(torch::sigmoid(truth)))};
  }
};

// Tags with a common miscalibration plus individual deviations.
Tags overconfident(std::int64_t tags) {
  return {0.4 * torch::exp(0.3 * torch::randn({tags}, torch::kDouble)),
          -0.7 + 0.3 * torch::randn({tags}, torch::kDouble), torch::linspace(-6.0, -1.0, tags, torch::kDouble)};
}

double loss(const Sample& sample, const Calibration& calibration) {
  return log_loss(calibrated(sample.logits, calibration), sample.labels);
}

TEST(Calibration, LowersTheLossOnOtherRows) {
  torch::manual_seed(3);
  const Tags tags = overconfident(30);
  const Sample held_out = tags.draw(400), other = tags.draw(20000);
  const double before = log_loss(other.logits, other.labels);
  const double best = loss(other, {HeadKind::per_tag, tags.scale, tags.shift});
  const double common = loss(other, fit_calibration(held_out.logits, held_out.labels, 1e9));
  const double alone = loss(other, fit_calibration(held_out.logits, held_out.labels, 1e-6));
  const double both = loss(other, fit_calibration(held_out.logits, held_out.labels));
  EXPECT_LT(both, before - 0.8 * (before - best));
  EXPECT_LT(both, common);
  EXPECT_LT(both, alone);
}

TEST(Calibration, KeepsEachTagsRanking) {
  torch::manual_seed(4);
  Sample sample = overconfident(5).draw(300);
  sample.logits.select(1, 4).neg_();  // a head with inverted logits
  const Calibration calibration = fit_calibration(sample.logits, sample.labels);
  EXPECT_TRUE((calibration.scale > 0).all().item<bool>());
  const Tensor scores = probabilities(HeadKind::per_tag, calibrated(sample.logits, calibration));
  EXPECT_TRUE(scores.argsort(/*stable=*/true, 0).equal(sample.logits.argsort(/*stable=*/true, 0)));
}

TEST(Calibration, FindsATagsOwnScaleAndShiftWithEnoughRows) {
  torch::manual_seed(5);
  const Tags tags{torch::tensor({0.3, 0.6, 2.0}, torch::kDouble), torch::tensor({-1.0, 0.5, 1.0}, torch::kDouble),
                  torch::tensor({-2.0, -1.0, 0.0}, torch::kDouble)};
  const Sample sample = tags.draw(20000);
  const Calibration calibration = fit_calibration(sample.logits, sample.labels);
  EXPECT_LT(largest(torch::log(calibration.scale / tags.scale)), 0.06);
  EXPECT_LT(largest(calibration.shift - tags.shift), 0.08);
}

// 20 well-calibrated tags, and one whose rows are drawn from a flatter and lower curve.
TEST(Calibration, ATagOfFewRowsStaysWithTheOthers) {
  torch::manual_seed(6);
  Tags tags{torch::ones({21}, torch::kDouble), torch::zeros({21}, torch::kDouble),
            torch::full({21}, -3.0, torch::kDouble)};
  for (const auto& [rarity, most, least_way, most_way] :
       {std::tuple{-8.0, 4.0, 0.0, 0.2}, {-6.5, 12.0, 0.1, 0.5}, {-1.0, 250.0, 0.7, 1.0}}) {
    tags.rarity[20] = rarity;
    tags.scale[20] = 0.6;
    tags.shift[20] = -0.5;
    const Sample sample = tags.draw(500);
    const double positives = value(sample.labels.hot.sum(0), 20);
    EXPECT_GT(positives, 0.0);
    EXPECT_LE(positives, most);
    // Fraction of the way that the tag's scores move from the common fit to its own fit.
    const auto of_tag = [&](double prior) {
      return calibrated(sample.logits, fit_calibration(sample.logits, sample.labels, prior)).select(1, 20);
    };
    const Tensor common = of_tag(1e9), own = of_tag(1e-6), held = of_tag(kPriorPositives);
    const double way = ((held - common).norm() / (own - common).norm()).item<double>();
    EXPECT_LT(way, most_way) << positives;
    EXPECT_GE(way, least_way) << positives;
  }
}

TEST(Calibration, EndsWhereNothingCanBeLearnt) {
  torch::manual_seed(7);
  Sample sample = overconfident(4).draw(100);
  sample.labels.hot.select(1, 0).zero_();
  sample.labels.hot.select(1, 1).fill_(1.0);
  sample.logits.select(1, 2).fill_(-1.5);
  const auto finite = [](const Calibration& c) {
    return (c.scale.isfinite() & c.shift.isfinite() & (c.scale > 0)).all().item<bool>();
  };
  EXPECT_TRUE(finite(fit_calibration(sample.logits, sample.labels)));
  EXPECT_TRUE(finite(fit_calibration(torch::zeros({5, 3}), tag_labels(torch::zeros({5, 3})))));
  EXPECT_TRUE(finite(fit_calibration(torch::zeros({5, 3}), class_labels(torch::zeros({5}, torch::kLong), 3))));
  // Logits that separate the labels, and huge ones.
  const Tensor hot = (torch::arange(40).reshape({20, 2}) % 4 < 2).to(torch::kDouble);
  for (const double size : {1e-3, 1.0, 1e3}) {
    EXPECT_TRUE(finite(fit_calibration((hot * 2 - 1) * size, tag_labels(hot)))) << size;
    EXPECT_TRUE(finite(fit_calibration((hot * 2 - 1) * size, class_labels(torch::arange(20) % 2, 2)))) << size;
  }
}

TEST(Calibration, OfASoftmaxFindsTemperatureAndShifts) {
  torch::manual_seed(8);
  const Tensor shift = torch::tensor({0.8, -0.2, -0.6, 0.0}, torch::kDouble);
  const auto draw = [&](std::int64_t rows) {
    const Tensor truth = shift + 1.5 * torch::randn({rows, 4}, torch::kDouble);
    const Tensor chosen = torch::multinomial(torch::softmax(truth, 1), 1).flatten();
    return Sample{(truth - shift) / 0.4, class_labels(chosen, 4)};
  };
  const Sample many = draw(20000), few = draw(200);
  const Calibration calibration = fit_calibration(many.logits, many.labels);
  EXPECT_NEAR(value(calibration.scale, 0), 0.4, 0.02);
  EXPECT_EQ(largest(calibration.scale - calibration.scale[0]), 0.0);
  EXPECT_LT(largest(calibration.shift - shift), 0.06);
  EXPECT_LT(loss(many, fit_calibration(few.logits, few.labels)), 0.9 * log_loss(many.logits, many.labels));
  const Calibration held = fit_calibration(few.logits, few.labels, 1e9);
  EXPECT_LT(largest(held.shift), 1e-5);
}

TEST(Calibration, FoldsIntoTheHead) {
  torch::manual_seed(9);
  const Sample sample = overconfident(3).draw(50);
  const LinearHead head{HeadKind::per_tag, torch::randn({3, 7}, torch::kDouble), torch::randn({3}, torch::kDouble)};
  const Tensor features = torch::randn({50, 7});
  const Calibration calibration = fit_calibration(sample.logits, sample.labels);
  EXPECT_LT(largest(logits(calibrated(head, calibration), features) - calibrated(logits(head, features), calibration)),
            1e-12);
  EXPECT_THROW(calibrated(LinearHead{HeadKind::softmax, head.weight, head.bias}, calibration), Exception);
  EXPECT_THROW(calibrated(torch::zeros({2, 4}), calibration), Exception);
  EXPECT_THROW(fit_calibration(sample.logits, sample.labels, 0.0), Exception);
  EXPECT_THROW(fit_calibration(sample.logits.slice(1, 1), sample.labels), Exception);
}

}  // namespace
}  // namespace reeltag::model

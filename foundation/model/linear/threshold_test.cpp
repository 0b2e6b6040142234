#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "reeltag/base/error.hpp"
#include "reeltag/model/calibration.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

struct Row {
  float score;
  bool has;
};

double threshold(const std::vector<Row>& rows, double precision) {
  std::vector<std::vector<float>> scores;
  std::vector<std::vector<int>> labels;
  for (const auto& row : rows) {
    scores.push_back({row.score});
    labels.push_back(row.has ? std::vector<int>{0} : std::vector<int>{});
  }
  return thresholds_for_precision(scores, labels, 1, precision).at(0);
}

float above(float score) { return std::nextafter(score, std::numeric_limits<float>::infinity()); }

TEST(Thresholds, AreTheLowestScoreThatHeldOutRowsVouchFor) {
  // Lower bounds of 3 of 3, 4 of 4 and 4 of 5 rows are 0.75, 0.8 and 0.57; of 4 of 6 0.46.
  const std::vector<Row> rows{{0.45F, true}, {0.4F, true}, {0.35F, true}, {0.3F, true}, {0.25F, false}, {0.2F, false}};
  EXPECT_EQ(threshold(rows, 0.5), 0.25F);
  EXPECT_EQ(threshold(rows, 0.6), 0.3F);
  EXPECT_EQ(threshold(rows, 0.85), 0.85);
}

TEST(Thresholds, TwoHitsVouchForNothing) {
  EXPECT_EQ(threshold({{0.4F, true}, {0.3F, true}, {0.1F, false}}, 0.5), 0.5);
}

TEST(Thresholds, RowsOfOneScoreAreShownTogether) {
  EXPECT_EQ(threshold({{0.4F, true}, {0.3F, true}, {0.3F, true}, {0.3F, false}, {0.3F, false}}, 0.6), 0.6);
}

TEST(Thresholds, AScoreIsBelievedUnlessHeldOutRowsSpeakAgainstIt) {
  EXPECT_EQ(threshold({}, 0.7), 0.7);
  EXPECT_EQ(threshold({{0.3F, false}, {0.2F, true}}, 0.7), 0.7);
  EXPECT_EQ(threshold({{0.9F, true}, {0.8F, true}}, 0.7), 0.7);
  EXPECT_EQ(threshold({{0.9F, true}, {0.8F, false}, {0.75F, false}}, 0.7), 0.9F);
  EXPECT_EQ(threshold({{0.9F, false}, {0.8F, false}, {0.2F, true}}, 0.7), above(0.9F));
  EXPECT_EQ(threshold({{1.0F, false}}, 0.7), 1.0);
}

TEST(Thresholds, EndsOfTheScale) {
  const std::vector<Row> rows{{0.9F, true}, {0.5F, false}};
  EXPECT_EQ(threshold(rows, 0.0), 0.0);
  EXPECT_EQ(threshold(rows, 1.0), 1.0);
  EXPECT_THROW(threshold(rows, 1.5), Exception);
  EXPECT_THROW(threshold({{NAN, true}}, 0.5), Exception);
}

// 60 tags of any rarity and difficulty, with the probabilities that their labels are drawn from.
struct World {
  Tensor truth;  // [N,60]
  Labels labels;
};

World draw(std::int64_t rows) {
  const Tensor rarity = torch::linspace(-7.0, -2.0, 60, torch::kDouble);
  const Tensor spread = torch::linspace(1.0, 3.0, 6, torch::kDouble).repeat({10});
  const Tensor truth = torch::sigmoid(rarity + spread * torch::randn({rows, 60}, torch::kDouble));
  return {truth, tag_labels(torch::bernoulli(truth))};
}

TEST(Thresholds, MeetThePrecisionOnOtherRows) {
  torch::manual_seed(1);
  for (const std::int64_t rows : {150, 500}) {
    const World held_out = draw(rows), other = draw(20000);
    for (const double precision : {0.5, 0.7, 0.9}) {
      const Tensor at =
          torch::tensor(thresholds_for_precision(held_out.truth, held_out.labels, precision), torch::kDouble);
      const Tensor shown = (other.truth >= at).to(torch::kDouble);
      const double right = (shown * other.truth).sum().item<double>(), all = shown.sum().item<double>();
      EXPECT_GT(right / all, precision - 0.04) << rows << " rows, " << precision;
      // Nor does it show too little: showing all scores of at least the precision finds fewer.
      const double plain = (other.truth * (other.truth >= precision)).sum().item<double>();
      EXPECT_GT(right, 0.8 * plain) << rows << " rows, " << precision;
    }
  }
}

TEST(Thresholds, AreTheSameFromTensors) {
  torch::manual_seed(2);
  const World world = draw(200);
  std::vector<std::vector<float>> scores;
  std::vector<std::vector<int>> labels(200);
  for (std::int64_t n = 0; n < 200; ++n) {
    const Tensor row = world.truth[n].to(torch::kFloat);
    scores.emplace_back(row.const_data_ptr<float>(), row.const_data_ptr<float>() + 60);
    for (int k = 0; k < 60; ++k) {
      if (world.labels.hot[n][k].item<double>() > 0) labels[static_cast<std::size_t>(n)].push_back(k);
    }
  }
  EXPECT_EQ(thresholds_for_precision(scores, labels, 60, 0.6),
            thresholds_for_precision(world.truth, world.labels, 0.6));
  EXPECT_THROW(thresholds_for_precision(world.truth.slice(1, 1), world.labels, 0.6), Exception);
}

}  // namespace
}  // namespace reeltag::model

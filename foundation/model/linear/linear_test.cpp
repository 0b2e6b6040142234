#include "reeltag/model/linear.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
using torch::Tensor;

// The data of tools/reference/linear.py: SplitMix64 of a name and an index, in [-1,1) with 24 bits.
Tensor unit(std::string_view name, std::int64_t rows, std::int64_t columns) {
  Tensor out = torch::empty({rows, columns}, torch::kDouble);
  auto* data = out.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    std::uint64_t z = fnv1a64(name) + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    z ^= z >> 31U;
    data[i] = (static_cast<double>(z >> 40U) - 8388608.0) / 8388608.0;
  }
  return out;
}

struct Set {
  Tensor features;  // float32 [N,D]
  Labels labels;
};

Set closed_form(HeadKind kind, std::int64_t rows, std::int64_t dims, std::int64_t classes) {
  const Labels labels =
      kind == HeadKind::softmax
          ? class_labels(torch::floor((unit("class", rows, 1).flatten() + 1) / 2 * classes).to(torch::kLong), classes)
          : tag_labels(unit("tag", rows, classes) < -0.4);
  Tensor features = unit("features", rows, dims);
  const Tensor centers = unit("centres", classes, dims);
  for (std::int64_t k = 0; k < classes; ++k) features += labels.hot.select(1, k).unsqueeze(1) * (0.5 * centers[k]);
  features.select(1, 1).fill_(0.75);
  features.select(1, 2).mul_(8);
  return {features.to(torch::kFloat), labels};
}

double largest(const Tensor& t) { return t.numel() == 0 ? 0.0 : t.abs().max().item<double>(); }

LinearHead fit_scaled(const Set& set, double c) {
  return fit_logistic(set.features, set.labels, c, fit_standard(set.features));
}

// Largest absolute gradient of the objective at the head, over weights and intercepts, on standardised features.
double gradient(const Set& set, const LinearHead& head, double c, const Standard& standard) {
  const Tensor x = (set.features.to(torch::kDouble) - standard.mean) / standard.scale;
  const Tensor error = c * (probabilities(head.kind, logits(head, set.features)) - set.labels.hot);
  const Tensor weight = head.weight * standard.scale;
  return std::max(largest(torch::mm(error.t(), x) + weight), largest(error.sum(0)));
}

json reference() {
  return json::parse(*read_file(std::string(REELTAG_SOURCE_DIR) + "/tests/goldens/linear/sklearn.json", 1 << 20));
}

TEST(FitLogistic, EqualsScikitLearn) {
  const json golden = reference();
  ASSERT_EQ(golden["cases"].size(), 24U);
  for (const json& want : golden["cases"]) {
    const auto kind = want["kind"] == "softmax" ? HeadKind::softmax : HeadKind::per_tag;
    const Set set = closed_form(kind, want["rows"], want["dims"], want["classes"]);
    const double c = want["c"];
    const Standard standard =
        want["standardised"].get<bool>() ? fit_standard(set.features) : no_standard(set.features.size(1));
    const LinearHead head = fit_logistic(set.features, set.labels, c, standard);
    const auto values = [&](const char* key, at::IntArrayRef shape) {
      return torch::tensor(want[key].get<std::vector<double>>(), torch::kDouble).reshape(shape);
    };
    const Tensor weight = values("weight", head.weight.sizes()), bias = values("bias", head.bias.sizes());
    const Tensor scores = probabilities(kind, logits(head, set.features));
    EXPECT_LT(largest(head.weight - weight), 1e-6 * largest(weight)) << want["name"];
    EXPECT_LT(largest(head.bias - bias), 1e-6 * largest(bias)) << want["name"];
    EXPECT_LT(largest(scores - values("scores", scores.sizes())), 1e-7) << want["name"];
    EXPECT_LT(gradient(set, head, c, standard), 1e-6 * c * static_cast<double>(set.features.size(0))) << want["name"];
  }
}

TEST(FitLogistic, ASoftmaxOfTwoIsASigmoidAtTwiceTheStrength) {
  const Set two = closed_form(HeadKind::softmax, 80, 30, 2);
  const Set one{two.features, tag_labels(two.labels.hot.slice(1, 1))};
  const Tensor softmax = logits(fit_scaled(two, 0.05), two.features);
  const Tensor sigmoid = logits(fit_scaled(one, 0.1), one.features);
  EXPECT_LT(largest(softmax.select(1, 1) - softmax.select(1, 0) - sigmoid.select(1, 0)), 1e-7);
}

TEST(FitLogistic, FoldingTheStandardInIsStandardisingByHand) {
  for (const auto kind : {HeadKind::softmax, HeadKind::per_tag}) {
    const Set set = closed_form(kind, 60, 100, 3);
    const Standard standard = fit_standard(set.features);
    const Tensor by_hand = (set.features.to(torch::kDouble) - standard.mean) / standard.scale;
    const LinearHead plain = fit_logistic(by_hand, set.labels, 0.1, no_standard(by_hand.size(1)));
    EXPECT_LT(largest(logits(plain, by_hand) - logits(fit_scaled(set, 0.1), set.features)), 1e-9);
  }
}

TEST(FitLogistic, TagsDoNotKnowOfEachOther) {
  const Set set = closed_form(HeadKind::per_tag, 90, 40, 6);
  const LinearHead all = fit_scaled(set, 1.0);
  for (const std::int64_t k : {0, 3}) {
    const LinearHead one = fit_scaled({set.features, tag_labels(set.labels.hot.slice(1, k, k + 1))}, 1.0);
    EXPECT_LT(largest(one.weight[0] - all.weight[k]), 1e-7 * largest(one.weight)) << k;
  }
}

TEST(FitLogistic, SeparableRowsEndAtAFiniteHead) {
  for (const auto kind : {HeadKind::softmax, HeadKind::per_tag}) {
    Set set = closed_form(kind, 50, 300, 3);
    const LinearHead head = fit_scaled(set, 1e4);
    EXPECT_LT(log_loss(logits(head, set.features), set.labels), 1e-2);
    EXPECT_LT(largest(head.weight), 100.0);
    EXPECT_LT(gradient(set, head, 1e4, fit_standard(set.features)), 1e-3);
  }
}

TEST(FitLogistic, AConstantDimensionHasNoWeight) {
  Set set = closed_form(HeadKind::per_tag, 50, 20, 3);
  set.features.select(1, 5).fill_(1000.1F);
  const LinearHead head = fit_scaled(set, 1.0);
  EXPECT_LT(largest(head.weight.select(1, 5)), 1e-9);
  const Set flat{torch::full({50, 20}, 0.3F), set.labels};  // constant features: only tag frequencies remain
  const Tensor scores = probabilities(HeadKind::per_tag, logits(fit_scaled(flat, 1.0), flat.features));
  EXPECT_LT(largest(scores - flat.labels.hot.mean(0)), 1e-9);
}

TEST(FitLogistic, ATagThatNoRowOrEveryRowHasGetsHalfARow) {
  Set set = closed_form(HeadKind::per_tag, 40, 60, 4);
  const LinearHead before = fit_scaled(set, 1.0);
  set.labels.hot.select(1, 1).zero_();
  set.labels.hot.select(1, 3).fill_(1.0);
  const LinearHead head = fit_scaled(set, 1.0);
  EXPECT_EQ(largest(head.weight[1]) + largest(head.weight[3]), 0.0);
  EXPECT_NEAR(torch::sigmoid(head.bias[1]).item<double>(), 0.5 / 41, 1e-12);
  EXPECT_NEAR(torch::sigmoid(head.bias[3]).item<double>(), 40.5 / 41, 1e-12);
  EXPECT_LT(largest(head.weight[0] - before.weight[0]), 1e-7);
  set.labels.hot.zero_();
  EXPECT_EQ(largest(fit_scaled(set, 1.0).weight), 0.0);
}

TEST(FitLogistic, AClassWithoutARowIsTheLeastLikely) {
  const Set set = closed_form(HeadKind::softmax, 60, 20, 3);
  const Tensor without = torch::cat({set.labels.hot, torch::zeros({60, 1}, torch::kDouble)}, 1);
  const LinearHead head = fit_scaled({set.features, {HeadKind::softmax, without}}, 0.01);
  const Tensor scores = probabilities(HeadKind::softmax, logits(head, set.features));
  EXPECT_LT(largest(scores.select(1, 3)), 0.05);
  EXPECT_GT(scores.select(1, 3).min().item<double>(), 0.0);
  const Tensor known = probabilities(HeadKind::softmax, logits(fit_scaled(set, 0.01), set.features));
  EXPECT_LT(largest(scores.slice(1, 0, 3) / scores.slice(1, 0, 3).sum(1, true) - known), 1e-9);
  const Labels one = class_labels(torch::full({60}, 2, torch::kLong), 4);
  EXPECT_GT(probabilities(HeadKind::softmax, logits(fit_scaled({set.features, one}, 1.0), set.features))
                .select(1, 2)
                .min()
                .item<double>(),
            0.95);
}

TEST(FitLogistic, GivesTheSameBitsAgain) {
  const Set set = closed_form(HeadKind::per_tag, 80, 200, 5);
  const LinearHead a = fit_scaled(set, 0.3), b = fit_scaled(set, 0.3);
  EXPECT_TRUE(a.weight.equal(b.weight));
  EXPECT_TRUE(a.bias.equal(b.bias));
}

TEST(FitLogistic, RefusesWhatCannotBe) {
  const Set set = closed_form(HeadKind::per_tag, 10, 5, 2);
  EXPECT_THROW(fit_scaled(set, 0.0), Exception);
  EXPECT_THROW(fit_scaled({set.features.slice(0, 1), set.labels}, 1.0), Exception);
  EXPECT_THROW(fit_logistic(set.features, set.labels, 1.0, no_standard(4)), Exception);
  EXPECT_THROW(fit_scaled({torch::full({10, 5}, NAN), set.labels}, 1.0), Exception);
  EXPECT_THROW(tag_labels(torch::full({2, 2}, 0.5)), Exception);
  EXPECT_THROW(class_labels(torch::tensor({0, 3}), 3), Exception);
  EXPECT_THROW(logits(fit_scaled(set, 1.0), torch::zeros({1, 6})), Exception);
}

TEST(FitStandard, BringsDimensionsToOneScale) {
  const Set set = closed_form(HeadKind::per_tag, 200, 6, 2);
  const Standard standard = fit_standard(set.features);
  const Tensor scaled = (set.features.to(torch::kDouble) - standard.mean) / standard.scale;
  EXPECT_LT(largest(scaled.mean(0)), 1e-12);
  EXPECT_DOUBLE_EQ(standard.scale[1].item<double>(), 1.0);
  EXPECT_NEAR(scaled.select(1, 2).square().mean().item<double>(), 1.0, 1e-12);
}

TEST(ChooseStrength, TakesTheBestOfThePathAndOfEqualsTheStrongest) {
  const Set all = closed_form(HeadKind::per_tag, 160, 60, 3);
  const Set fit{all.features.slice(0, 0, 100), {all.labels.kind, all.labels.hot.slice(0, 0, 100)}};
  const Set val{all.features.slice(0, 100), {all.labels.kind, all.labels.hot.slice(0, 100)}};
  const ChosenStrength chosen = choose_strength(fit.features, fit.labels, val.features, val.labels);
  ASSERT_EQ(chosen.path.size(), 13U);
  EXPECT_NEAR(chosen.path.front().c, 1e-5, 1e-12);
  EXPECT_NEAR(chosen.path.back().c, 10.0, 1e-9);
  for (const Trial& trial : chosen.path) {
    EXPECT_GE(trial.loss, log_loss(logits(chosen.head, val.features), val.labels));
    // A warm start affects only the time.
    const LinearHead cold = fit_scaled(fit, trial.c);
    EXPECT_NEAR(trial.loss, log_loss(logits(cold, val.features), val.labels), 1e-7);
  }
  const auto by = [&](const Criterion& criterion) {
    return choose_strength(fit.features, fit.labels, val.features, val.labels, {1.0, 0.01, 0.1}, criterion).c;
  };
  EXPECT_EQ(by([](const Tensor&, const Labels&) { return 0.25; }), 0.01);
  EXPECT_EQ(by([](const Tensor& z, const Labels&) { return largest(z); }), 1.0);
  int asked = 0;
  EXPECT_EQ(by([&](const Tensor&, const Labels&) { return ++asked == 2 ? 0.0 : NAN; }), 0.1);
  EXPECT_THROW(by([](const Tensor&, const Labels&) { return std::numeric_limits<double>::quiet_NaN(); }), Exception);
}

std::vector<std::string> groups_of_three(std::int64_t rows) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < rows; ++i) out.push_back("group" + std::to_string(i / 3));
  return out;
}

TEST(FoldsOf, KeepsGroupsTogetherAndFoldsEven) {
  std::vector<std::string> groups = groups_of_three(300);
  groups.insert(groups.end(), 50, "large");
  const auto folds = folds_of(groups, 5);
  std::map<std::string, std::set<int>> of_group;
  std::vector<int> rows(5, 0);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    of_group[groups[i]].insert(folds[i]);
    ++rows[static_cast<std::size_t>(folds[i])];
  }
  for (const auto& [group, in] : of_group) EXPECT_EQ(in.size(), 1U) << group;
  for (const int n : rows) EXPECT_NEAR(n, 70, 3);
  // The order of the rows does not matter.
  std::vector<std::string> reversed(groups.rbegin(), groups.rend());
  auto back = folds_of(reversed, 5);
  std::reverse(back.begin(), back.end());
  EXPECT_EQ(back, folds);
}

TEST(CrossFit, NoGroupIsSeenByTheHeadThatScoresIt) {
  for (const auto kind : {HeadKind::softmax, HeadKind::per_tag}) {
    const Set set = closed_form(kind, 60, 30, 3);
    const auto groups = groups_of_three(60);
    const Tensor before = cross_fit_logits(set.features, set.labels, groups, 0.1, 4);
    for (const std::int64_t first : {0, 27, 57}) {
      // Changing the group's labels and its first row must not affect the logits of its second and third row.
      Set other{set.features.clone(), {kind, set.labels.hot.clone()}};
      other.labels.hot.slice(0, first, first + 3).copy_(set.labels.hot.slice(0, first, first + 3).roll(1, 1));
      other.features[first] += 3.0;
      const Tensor after = cross_fit_logits(other.features, other.labels, groups, 0.1, 4);
      EXPECT_TRUE(after.slice(0, first + 1, first + 3).equal(before.slice(0, first + 1, first + 3)));
      EXPECT_FALSE(after.equal(before));
    }
  }
}

TEST(CrossFit, IsTheFitWithoutTheFold) {
  const Set set = closed_form(HeadKind::per_tag, 40, 10, 2);
  const auto groups = groups_of_three(40);
  const auto folds = folds_of(groups, 3);
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < 40; ++i) {
    if (folds[static_cast<std::size_t>(i)] != folds[0]) rest.push_back(i);
  }
  const Tensor seen = torch::tensor(rest);
  const Set part{set.features.index_select(0, seen), rows_of(set.labels, seen)};
  const Tensor want = logits(fit_scaled(part, 0.1), set.features.slice(0, 0, 1))[0];
  EXPECT_LT(largest(cross_fit_logits(set.features, set.labels, groups, 0.1, 3)[0] - want), 1e-12);
}

TEST(CrossFit, SurvivesAClassThatOnlyOneFoldHas) {
  for (const auto kind : {HeadKind::softmax, HeadKind::per_tag}) {
    Set set = closed_form(kind, 30, 10, 3);
    if (kind == HeadKind::softmax) {
      Tensor classes = torch::arange(30) % 2;
      classes.slice(0, 0, 3).fill_(2);
      set.labels = class_labels(classes, 3);
    } else {
      set.labels.hot.select(1, 2).zero_();
      set.labels.hot[0][2] = 1.0;
    }
    const Tensor z = cross_fit_logits(set.features, set.labels, groups_of_three(30), 1.0, 50);
    EXPECT_TRUE(z.isfinite().all().item<bool>());
  }
  const Set set = closed_form(HeadKind::per_tag, 4, 5, 2);
  EXPECT_THROW(cross_fit_logits(set.features, set.labels, {"a", "a", "a", "a"}, 1.0, 2), Exception);
  EXPECT_THROW(cross_fit_logits(set.features, set.labels, {"a", "b"}, 1.0, 2), Exception);
}

// Prints a timing; there is no limit. The features resemble a frozen net's: correlated, mostly 0, with a tail.
TEST(SlowLinear, TellsItsTime) {
  torch::manual_seed(0);
  const std::int64_t n = 500, d = 2816;
  const Tensor hidden = torch::randn({n, 300});
  const Tensor mix = torch::randn({300, d}) * torch::arange(1, 301).pow(-0.7).unsqueeze(1);
  const Tensor features = torch::relu(torch::mm(hidden, mix) + 0.05 * torch::randn({n, d}));
  const auto seconds = [](const auto& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  for (const std::int64_t k : {20, 70}) {
    const Tensor noisy = hidden.slice(1, 0, k) + 0.8 * torch::randn({n, k});
    for (const auto kind : {HeadKind::softmax, HeadKind::per_tag}) {
      const Labels labels = kind == HeadKind::softmax ? class_labels(noisy.argmax(1), k) : tag_labels(noisy > 1.8);
      const Set set{features, labels};
      std::cout << (kind == HeadKind::softmax ? "softmax" : "per tag") << ", " << k << ": ";
      for (const double c : {1e-4, 1e-2, 1.0, 10.0}) {
        LinearHead head;
        std::cout << seconds([&] { head = fit_scaled(set, c); }) << " s at C " << c << ", ";
        EXPECT_LT(gradient(set, head, c, fit_standard(features)), 1e-6);
      }
      std::cout << seconds([&] { choose_strength(features, labels, features, labels); }) << " s for 13 strengths\n";
    }
  }
}

TEST(Emphasis, IsAScaleOfTheDimensionsAgainstTheRegularisation) {
  torch::manual_seed(3);
  const at::Tensor x = torch::randn({60, 6}), y = (x.select(1, 0) + x.select(1, 4) > 0).to(torch::kLong);
  const Labels labels = class_labels(y, 2);
  const at::Tensor emphasis = torch::tensor({1.0, 1.0, 1.0, 0.0, 3.0, 3.0}, torch::kDouble);
  const auto head = fit_logistic(x, labels, 0.1, fit_standard(x, emphasis));
  // Equals scaling manually after standardising.
  const Standard plain = fit_standard(x);
  const at::Tensor scaled = (x.to(torch::kDouble) - plain.mean) / plain.scale * emphasis;
  const auto by_hand = fit_logistic(scaled, labels, 0.1, no_standard(6));
  EXPECT_LE((logits(head, x) - logits(by_hand, scaled)).abs().max().item<double>(), 1e-6);
  EXPECT_EQ(head.weight.select(1, 3).abs().max().item<double>(), 0.0);
  EXPECT_THROW(fit_standard(x, emphasis.narrow(0, 0, 5)), Exception);
  EXPECT_THROW(fit_standard(x, -emphasis), Exception);
}

}  // namespace
}  // namespace reeltag::model

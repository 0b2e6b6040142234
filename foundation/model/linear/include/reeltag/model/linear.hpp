// The linear head of frozen training: L2-regularised logistic regression on precomputed features.
// Minimises scikit-learn's LogisticRegression objective, C * sum of losses + |W|^2 / 2, with an unregularised
// intercept. A larger C means weaker regularisation. All computation is in float64.
// Values and free functions without state, any thread (libtorch uses its own threads). Results are bit-identical on one
// machine with the same number of threads. Invalid shapes or values throw Exception(invalid_argument).
//
//   const model::Labels labels = model::tag_labels(hot);
//   const auto chosen = model::choose_strength(features, labels, val_features, val_labels);
//   const at::Tensor scores = model::probabilities(chosen.head.kind, model::logits(chosen.head, features));
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace reeltag::model {

enum class HeadKind {
  softmax,  // one label per row, scores sum to 1
  per_tag   // any number of labels per row, scores are independent
};

struct Labels {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor hot;  // float64 [N,K], 0 or 1; softmax: one 1 per row
};
Labels class_labels(const at::Tensor& classes, std::int64_t count);  // int64 [N], each below count: softmax
Labels tag_labels(const at::Tensor& hot);                            // [N,K] of 0 and 1: per_tag
Labels rows_of(const Labels& labels, const at::Tensor& rows);        // rows int64 [n]

// Standardisation of features: (x - mean) / scale, per dimension. A constant dimension has scale 1; no head can use it.
struct Standard {
  at::Tensor mean, scale;  // float64 [D]
};
// features [N,D]: mean and standard deviation over the rows. emphasis, float64 [D], at least 0, multiplies each
// dimension's weight against the regularisation; 0 excludes it. Undefined: all equal.
Standard fit_standard(const at::Tensor& features, const at::Tensor& emphasis = {});
Standard no_standard(std::int64_t dims);  // mean 0, scale 1: for features that are already standardised

struct LinearHead {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor weight, bias;  // float64 [K,D], [K], for raw features
};
at::Tensor logits(const LinearHead& head, const at::Tensor& features);  // [N,D] -> float64 [N,K]
at::Tensor probabilities(HeadKind kind, const at::Tensor& logits);      // [N,K] -> float64 [N,K]
at::Tensor losses(const at::Tensor& logits, const Labels& labels);      // float64 [N], with per_tag the mean over tags
double log_loss(const at::Tensor& logits, const Labels& labels);        // mean of losses()

// Returns the optimal head for the standardised features, with the standardisation folded in: it reads raw features
// [N,D]. A tag that no row or every row has, and a class without a row, have no optimum (the intercept diverges): they
// get zero weights and the intercept of half a row. With two classes the softmax head at C equals the sigmoid head at
// 2C.
LinearHead fit_logistic(const at::Tensor& features, const Labels& labels, double c, const Standard& standard);

// Scores validation logits [N,K]; larger is better.
using Criterion = std::function<double(const at::Tensor& logits, const Labels& labels)>;
struct Trial {
  double c = 0.0;
  double loss = 0.0;    // log_loss on the validation set
  double figure = 0.0;  // of the criterion; without one, -loss
};
struct ChosenStrength {
  LinearHead head;
  double c = 0.0;
  std::vector<Trial> path;  // ascending c
};
std::vector<double> strengths(double lowest = 1e-5, double highest = 1e1, int count = 13);  // log-spaced
// Fits at each c from strong to weak regularisation, warm-started from the previous fit, on features standardised by
// their own statistics. The best figure on the validation set wins; ties go to the strongest regularisation. NaN never
// wins.
ChosenStrength choose_strength(const at::Tensor& features, const Labels& labels, const at::Tensor& val_features,
                               const Labels& val_labels, const std::vector<double>& grid = strengths(),
                               const Criterion& criterion = {}, const at::Tensor& emphasis = {});

// Assigns a fold in [0, folds) to each row; rows of one group share it. Groups are assigned, largest first and ties by
// the hash of the name, to the fold with the fewest rows, so the order of rows does not matter.
std::vector<int> folds_of(const std::vector<std::string>& groups, int folds);
// Out-of-fold logits float64 [N,K]: each row is scored by a head and a standardisation that saw no row of its group.
// With fewer groups than folds there is one fold per group; at least two groups are needed.
at::Tensor cross_fit_logits(const at::Tensor& features, const Labels& labels, const std::vector<std::string>& groups,
                            double c, int folds = 5, const at::Tensor& emphasis = {});

}  // namespace reeltag::model

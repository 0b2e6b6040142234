// The linear head of frozen training: L2-regularised logistic regression on features that a net has computed.
// The minimum is scikit-learn's LogisticRegression's: C * sum of losses + |W|^2 / 2, the intercept free. C follows
// scikit-learn: the larger, the weaker the regularisation. All is computed in float64.
// Values and free functions; no state, so any thread (libtorch's own threads do the work). The same bits on the same
// machine with the same number of threads. Shapes or values that cannot be throw Exception(invalid_argument).
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
  softmax,  // one label a row, scores sum to 1
  per_tag   // any number of labels a row, scores are independent
};

struct Labels {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor hot;  // float64 [N,K], 0 or 1; softmax: one 1 a row
};
Labels class_labels(const at::Tensor& classes, std::int64_t count);  // int64 [N], each below count: softmax
Labels tag_labels(const at::Tensor& hot);                            // [N,K] of 0 and 1: per_tag
Labels rows_of(const Labels& labels, const at::Tensor& rows);        // rows int64 [n]

// How features are brought to one scale: (x - mean) / scale, a dimension each. A dimension that does not vary has
// scale 1; no head can use it.
struct Standard {
  at::Tensor mean, scale;  // float64 [D]
};
// [N,D]: mean and standard deviation over the rows. emphasis, float64 [D] and at least 0, multiplies what a dimension
// weighs against the regularisation; 0 leaves it out. None: all alike.
Standard fit_standard(const at::Tensor& features, const at::Tensor& emphasis = {});
Standard no_standard(std::int64_t dims);  // mean 0, scale 1: of one scale already

struct LinearHead {
  HeadKind kind = HeadKind::per_tag;
  at::Tensor weight, bias;  // float64 [K,D], [K], of the features as they come
};
at::Tensor logits(const LinearHead& head, const at::Tensor& features);  // [N,D] -> float64 [N,K]
at::Tensor probabilities(HeadKind kind, const at::Tensor& logits);      // [N,K] -> float64 [N,K]
at::Tensor losses(const at::Tensor& logits, const Labels& labels);      // float64 [N], mean over tags with per_tag
double log_loss(const at::Tensor& logits, const Labels& labels);        // mean of losses()

// The head at the optimum for the standardised features, with the standard folded in: it reads raw features [N,D].
// A tag that no row or every row has, and a class without a row, have no optimum (the intercept goes to infinity):
// they get no weights and the intercept of half a row. With two classes the softmax head at C is the sigmoid head at
// 2C.
LinearHead fit_logistic(const at::Tensor& features, const Labels& labels, double c, const Standard& standard);

// A figure of validation logits [N,K], the larger the better.
using Criterion = std::function<double(const at::Tensor& logits, const Labels& labels)>;
struct Trial {
  double c = 0.0;
  double loss = 0.0;    // log_loss on the validation set
  double figure = 0.0;  // of the criterion; without one -loss
};
struct ChosenStrength {
  LinearHead head;
  double c = 0.0;
  std::vector<Trial> path;  // ascending c
};
std::vector<double> strengths(double lowest = 1e-5, double highest = 1e1, int count = 13);  // log-spaced
// Fits at each c, from strong to weak regularisation and each from the one before, on features standardised by
// themselves; the best figure on the validation set wins, of equals the strongest regularisation. A figure that is not
// a number never wins.
ChosenStrength choose_strength(const at::Tensor& features, const Labels& labels, const at::Tensor& val_features,
                               const Labels& val_labels, const std::vector<double>& grid = strengths(),
                               const Criterion& criterion = {}, const at::Tensor& emphasis = {});

// A fold in [0, folds) for each row. Rows of one group share it. Groups go one after another, large ones first and
// equals by the hash of their name, to the fold with the fewest rows, so the order of rows does not matter.
std::vector<int> folds_of(const std::vector<std::string>& groups, int folds);
// Out-of-fold logits float64 [N,K]: each row's from a head, and a standard, that saw no row of its group. Fewer groups
// than folds: a fold a group; at least two groups are needed.
at::Tensor cross_fit_logits(const at::Tensor& features, const Labels& labels, const std::vector<std::string>& groups,
                            double c, int folds = 5, const at::Tensor& emphasis = {});

}  // namespace reeltag::model

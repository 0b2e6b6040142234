// Fits heads at one strength, or chooses the best of several.
#include <algorithm>
#include <cmath>
#include <memory>

#include <torch/torch.h>

#include "checks.hpp"
#include "newton.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/model/linear.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

// Fits one data set at any number of strengths; the row space is computed once.
class Fitter {
 public:
  Fitter(const Tensor& features, const Labels& labels, const Standard& standard)
      : labels_(labels), standard_(standard) {
    const Tensor x = checked_matrix(features, "features");
    check_rows(x, labels.hot, "features");
    if (standard.mean.sizes() != x.sizes().slice(1) || standard.scale.sizes() != x.sizes().slice(1) ||
        !(standard.scale > 0).all().item<bool>())
      throw Exception(Code::invalid_argument, "linear head: the standard is not of these features");
    const Tensor count = labels.hot.sum(0);  // [K]
    const auto n = static_cast<double>(x.size(0));
    const bool both = labels.kind == HeadKind::per_tag;
    learnt_ = (both ? (count > 0) & (count < n) : (count > 0)).nonzero().flatten();
    newton_ = std::make_unique<Newton>((x - standard.mean) / standard.scale);
    part_ = {labels.kind, labels.hot.index_select(1, learnt_)};
    if (learnt_.size(0) > 0) point_ = newton_->start(part_);
  }

  // Warm-starts from the previous fit.
  LinearHead fit(double c) {
    if (!(c > 0.0) || !std::isfinite(c))
      throw Exception(Code::invalid_argument, "linear head: C must be above 0, not " + std::to_string(c));
    const Tensor& hot = labels_.hot;
    Tensor weight = torch::zeros({hot.size(1), standard_.mean.size(0)}, torch::kDouble);  // [K,D]
    Tensor bias = unlearnt();                                                             // [K]
    // A softmax over a single class has nothing to fit; its loss is 0 everywhere.
    if (learnt_.size(0) > (labels_.kind == HeadKind::softmax ? 1 : 0)) {
      point_ = newton_->minimize(part_, c, point_);
      weight.index_copy_(0, learnt_, newton_->weights(point_));
      bias.index_copy_(0, learnt_, newton_->bias(point_));
    }
    if (labels_.kind == HeadKind::softmax) bias = seat_absent(bias);
    weight /= standard_.scale;
    return {labels_.kind, weight, bias - torch::mv(weight, standard_.mean)};
  }

 private:
  // Intercepts after adding half a row with the tag and half a row without it.
  [[nodiscard]] Tensor unlearnt() const {
    const Tensor with = labels_.hot.sum(0);
    const auto n = static_cast<double>(labels_.hot.size(0));
    return labels_.kind == HeadKind::softmax ? torch::zeros_like(with) : torch::log((with + 0.5) / (n - with + 0.5));
  }

  // Gives a class without rows the score of half a row relative to the others' mean mass. Then shifts the intercepts to
  // sum to 0, which is scikit-learn's choice among equal optima.
  [[nodiscard]] Tensor seat_absent(const Tensor& bias) const {
    Tensor out = bias;
    if (learnt_.size(0) < bias.size(0)) {
      const Tensor mass = learnt_.size(0) > 1 ? torch::logsumexp(newton_->logits(point_), 1).mean() : bias.sum();
      const auto n = static_cast<double>(labels_.hot.size(0));
      out = torch::where(labels_.hot.sum(0) > 0, bias, mass + std::log(0.5 / n));
    }
    return out - out.mean();
  }

  Labels labels_, part_;  // all, and those that can be fitted
  Standard standard_;
  Tensor learnt_;  // int64: columns of labels_
  std::unique_ptr<Newton> newton_;
  Point point_;
};

}  // namespace

LinearHead fit_logistic(const Tensor& features, const Labels& labels, double c, const Standard& standard) {
  torch::NoGradGuard no_grad;
  return Fitter(features, labels, standard).fit(c);
}

std::vector<double> strengths(double lowest, double highest, int count) {
  if (!(lowest > 0.0) || !(highest >= lowest) || count < 1)
    throw Exception(Code::invalid_argument, "linear head: strengths need 0 < lowest <= highest and a count");
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const double part = count > 1 ? static_cast<double>(i) / (count - 1) : 0.0;
    out.push_back(std::exp(std::log(lowest) + part * (std::log(highest) - std::log(lowest))));
  }
  return out;
}

ChosenStrength choose_strength(const Tensor& features, const Labels& labels, const Tensor& val_features,
                               const Labels& val_labels, const std::vector<double>& grid, const Criterion& criterion,
                               const Tensor& emphasis) {
  torch::NoGradGuard no_grad;
  std::vector<double> ascending = grid;
  std::sort(ascending.begin(), ascending.end());
  Fitter fitter(features, labels, fit_standard(features, emphasis));
  ChosenStrength best;
  double highest = 0.0;
  for (const double c : ascending) {
    LinearHead head = fitter.fit(c);
    const Tensor scored = logits(head, val_features);
    Trial trial{.c = c, .loss = log_loss(scored, val_labels)};
    trial.figure = criterion ? criterion(scored, val_labels) : -trial.loss;
    best.path.push_back(trial);
    if (std::isnan(trial.figure) || (best.head.weight.defined() && trial.figure <= highest)) continue;
    highest = trial.figure;
    best.head = std::move(head);
    best.c = c;
  }
  if (!best.head.weight.defined())
    throw Exception(Code::invalid_argument, "linear head: no strength has a figure on the validation set");
  return best;
}

}  // namespace reeltag::model

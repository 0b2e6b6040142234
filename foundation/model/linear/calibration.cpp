// Platt scaling regularised towards a common fit, and temperature scaling with shifts.
#include "reeltag/model/calibration.hpp"

#include <cmath>

#include <torch/torch.h>

#include "checks.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

constexpr int kMaxFitSteps = 200;
constexpr int kMaxFitHalvings = 40;
constexpr double kFitTolerance = 1e-12;  // predicted decrease of the next step / objective
constexpr double kFitArmijo = 1e-4;
// Precision of the prior of the common log scale around 0: enough that an optimum exists when all logits are equal or
// inverted, and negligible beside the information of a few dozen rows.
constexpr double kScalePrior = 1.0;
constexpr double kTiny = 1e-9;  // keeps a matrix invertible without any information

// Solves G problems of two unknowns [G] at once: minimises the cross-entropy of sigmoid(exp(log_scale) * logit +
// shift), with normal priors of log_scale around 0 and of shift around `center`, by Fisher scoring with step halving
// from there.
struct PlattFit {
  Tensor logits, targets;                   // [N,G]
  Tensor center;                            // [G]
  Tensor scale_precision, shift_precision;  // [G] or [1]
  Tensor log_scale = torch::zeros_like(center), shift = center.clone();

  void fit() {
    for (int i = 0; i < kMaxFitSteps && !step(); ++i) {
    }
  }

 private:
  [[nodiscard]] Tensor objective(const Tensor& a, const Tensor& b) const {
    const Tensor z = a.exp() * logits + b;
    return (z.clamp_min(0) - z * targets + torch::log1p(torch::exp(-z.abs()))).sum(0) +
           0.5 * (scale_precision * a * a + shift_precision * (b - center) * (b - center));
  }

  // Takes one step; returns true if it was the last.
  bool step() {
    const Tensor s = log_scale.exp() * logits, p = torch::sigmoid(s + shift);
    const Tensor weight = p * (1.0 - p), error = p - targets;
    const Tensor ga = (error * s).sum(0) + scale_precision * log_scale;
    const Tensor gb = error.sum(0) + shift_precision * (shift - center);
    const Tensor haa = (weight * s * s).sum(0) + scale_precision + kTiny;
    const Tensor hbb = weight.sum(0) + shift_precision + kTiny, hab = (weight * s).sum(0);
    const Tensor determinant = haa * hbb - hab * hab;  // above 0: Cauchy-Schwarz, and kTiny
    const Tensor da = (hab * gb - hbb * ga) / determinant, db = (hab * ga - haa * gb) / determinant;
    const Tensor slope = ga * da + gb * db, before = objective(log_scale, shift);
    Tensor length = torch::ones_like(slope);
    for (int i = 0; i < kMaxFitHalvings; ++i) {
      // Not ">": a trial whose objective overflows (NaN) must be halved too.
      const Tensor fine = objective(log_scale + length * da, shift + length * db) <=
                          before + kFitArmijo * length * slope + kFitTolerance * before;
      if (fine.all().item<bool>()) break;
      length = torch::where(fine, length, 0.5 * length);
    }
    log_scale = log_scale + length * da;
    shift = shift + length * db;
    return (-slope <= kFitTolerance * before).all().item<bool>();
  }
};

Tensor scalar(double value) { return torch::full({1}, value, torch::kDouble); }

// Platt's smoothed targets, column by column.
Tensor platt_targets(const Tensor& hot) {
  const Tensor with = hot.sum(0), without = static_cast<double>(hot.size(0)) - with;
  return torch::where(hot > 0.5, (with + 1.0) / (with + 2.0), 1.0 / (without + 2.0));
}

Calibration fit_tags(const Tensor& logits, const Tensor& hot, double prior_positives) {
  const Tensor all_targets = platt_targets(hot.reshape({-1, 1}));
  PlattFit common{logits.reshape({-1, 1}), all_targets, scalar(0), scalar(kScalePrior), scalar(0)};
  common.fit();
  // Centres each tag's own fit at the information-weighted middle of its rows. Centred at 0, which may be far from all
  // of a rare tag's logits, a likely shift and a likely scale could together give an unlikely score.
  const Tensor scored = common.log_scale.exp() * logits + common.shift, p = torch::sigmoid(scored);  // [N,K]
  const Tensor weight = p * (1.0 - p) + kTiny;
  const Tensor middle = (weight * scored).sum(0) / weight.sum(0);  // [K]
  const Tensor turning = weight * (scored - middle).square();
  // Information of one row with the tag: the average over all tags, or over this tag if that is larger.
  const auto held = [&](const Tensor& information) {
    const Tensor mass = p + kTiny;  // expected rows with the tag
    return prior_positives * torch::maximum(information.sum(0) / mass.sum(0), information.sum() / mass.sum());
  };
  PlattFit own{scored - middle, platt_targets(hot), middle, held(turning), held(weight)};
  own.fit();
  const Tensor turn = own.log_scale.exp();
  return {HeadKind::per_tag, turn * common.log_scale.exp(), own.shift + turn * (common.shift - middle)};
}

// One log scale, and a shift for each class with a normal prior around 0.
class SoftmaxFit {
 public:
  SoftmaxFit(const Tensor& logits, const Tensor& hot) : logits_(logits) {
    // Platt's targets for a row of many classes: (N+1)/(N+2) for its own, the rest in equal parts for the others.
    const auto n = static_cast<double>(hot.size(0)), k = static_cast<double>(hot.size(1));
    targets_ = torch::where(hot > 0.5, (n + 1.0) / (n + 2.0), 1.0 / ((n + 2.0) * (k - 1.0)));
    at_ = torch::zeros({hot.size(1) + 1}, torch::kDouble);
  }

  void fit_temperature() { fit(1, 0.0); }
  void fit_all(double precision) { fit(at_.size(0), precision); }
  // Average information of a row about the shift of its class.
  [[nodiscard]] double information() const {
    const Tensor p = torch::softmax(z(at_), 1);
    return (p * (1.0 - p)).sum(1).mean().item<double>();
  }
  [[nodiscard]] Calibration calibration() const {
    const Tensor shift = at_.slice(0, 1);
    return {HeadKind::softmax, at_[0].exp().expand_as(shift).contiguous(), shift - shift.mean()};
  }

 private:
  [[nodiscard]] Tensor z(const Tensor& at) const { return at[0].exp() * logits_ + at.slice(0, 1); }  // [N,K]
  [[nodiscard]] double objective(const Tensor& at, const Tensor& prior) const {
    return (0.5 * (prior * at * at).sum() - (targets_ * torch::log_softmax(z(at), 1)).sum()).item<double>();
  }

  // Fisher information of (log scale, shifts) [K+1,K+1].
  [[nodiscard]] Tensor information_matrix(const Tensor& p) const {
    const Tensor s = at_[0].exp() * logits_;
    const Tensor apart = p * (s - (p * s).sum(1, true));  // [N,K]
    Tensor out = torch::zeros({at_.size(0), at_.size(0)}, torch::kDouble);
    out[0][0] = (s * apart).sum();
    out[0].slice(0, 1).copy_(apart.sum(0));
    out.select(1, 0).slice(0, 1).copy_(apart.sum(0));
    out.slice(0, 1).slice(1, 1).copy_(torch::diag(p.sum(0)) - torch::mm(p.t(), p));
    return out;
  }

  // Fits the first `unknowns` of the log scale and the shifts.
  void fit(std::int64_t unknowns, double precision) {
    Tensor prior = torch::full_like(at_, precision);
    prior[0] = kScalePrior;
    for (int i = 0; i < kMaxFitSteps && !step(unknowns, prior); ++i) {
    }
  }

  // Takes one step; returns true if it was the last.
  bool step(std::int64_t unknowns, const Tensor& prior) {
    const Tensor p = torch::softmax(z(at_), 1), error = p - targets_;
    const Tensor by_scale = (error * at_[0].exp() * logits_).sum().reshape({1});
    const Tensor gradient = (torch::cat({by_scale, error.sum(0)}) + prior * at_).slice(0, 0, unknowns);
    const Tensor information = information_matrix(p) + torch::diag(prior + kTiny);
    Tensor direction = torch::zeros_like(at_);
    direction.slice(0, 0, unknowns)
        .copy_(-torch::linalg_solve(information.slice(0, 0, unknowns).slice(1, 0, unknowns), gradient));
    const double slope = torch::dot(gradient, direction.slice(0, 0, unknowns)).item<double>();
    const double before = objective(at_, prior);
    double length = 1.0;
    for (int i = 0; i < kMaxFitHalvings; ++i, length *= 0.5) {
      if (objective(at_ + length * direction, prior) <= before + kFitArmijo * length * slope + kFitTolerance * before)
        break;
    }
    at_ = at_ + length * direction;
    return -slope <= kFitTolerance * before;
  }

  const Tensor& logits_;
  Tensor targets_;  // [N,K]
  Tensor at_;       // [K+1]: log scale, shifts
};

Calibration fit_classes(const Tensor& logits, const Tensor& hot, double prior_positives) {
  SoftmaxFit fit(logits, hot);
  fit.fit_temperature();
  fit.fit_all(prior_positives * fit.information());
  return fit.calibration();
}

}  // namespace

Calibration fit_calibration(const Tensor& logits, const Labels& labels, double prior_positives) {
  torch::NoGradGuard no_grad;
  const Tensor x = checked_matrix(logits, "logits");
  if (x.sizes() != labels.hot.sizes())
    throw Exception(Code::invalid_argument, "calibration: logits and labels differ in shape");
  if (!(prior_positives > 0.0) || !std::isfinite(prior_positives))
    throw Exception(Code::invalid_argument, "calibration: the prior must weigh more than nothing");
  return labels.kind == HeadKind::softmax ? fit_classes(x, labels.hot, prior_positives)
                                          : fit_tags(x, labels.hot, prior_positives);
}

Tensor calibrated(const Tensor& logits, const Calibration& calibration) {
  const Tensor x = checked_matrix(logits, "logits");
  if (x.size(1) != calibration.scale.size(0))
    throw Exception(Code::invalid_argument, "calibration: " + std::to_string(calibration.scale.size(0)) +
                                                " tags for logits of " + std::to_string(x.size(1)));
  return x * calibration.scale + calibration.shift;
}

LinearHead calibrated(const LinearHead& head, const Calibration& calibration) {
  if (head.kind != calibration.kind || head.bias.sizes() != calibration.scale.sizes())
    throw Exception(Code::invalid_argument, "calibration: it is of another head");
  return {head.kind, head.weight * calibration.scale.unsqueeze(1), head.bias * calibration.scale + calibration.shift};
}

}  // namespace reeltag::model

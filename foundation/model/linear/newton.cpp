#include "newton.hpp"

#include <torch/torch.h>

#include "reeltag/base/error.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

constexpr int kMaxSteps = 200;       // about 18 are needed from zero, fewer from a warm start
constexpr int kMaxConjugate = 2000;  // conjugate-gradient iterations per step; about 20 are needed
constexpr int kMaxHalvings = 40;
// Conjugate gradients stop when a step's residual has fallen to this fraction. Of 1e-1, 3e-2, 1e-2 and 1e-3 the first
// was the fastest, by a third against the last.
constexpr double kForcing = 1e-1;
// Newton stops when the last step's predicted decrease is below this fraction of the objective. The Hessian is at least
// 1, so the weights moved by at most 1e-7 times the square root of the objective.
constexpr double kTolerance = 1e-14;
constexpr double kArmijo = 1e-4;
constexpr double kRounding = 1e-12;  // relative to the objective: smaller differences are rounding

// One binary problem per tag, or one problem over all classes. With per_tag every sum is over a tag's own row, so the
// tags' independent problems advance together, each with its own step length.
class Problem {
 public:
  Problem(const Tensor& rows, const Tensor& squares, const Labels& labels, double c)
      : rows_(rows), squares_(squares), truth_(labels.hot.t().contiguous()), c_(c), kind_(labels.kind) {}

  // Sums over a problem's unknowns: [K,x] -> [K,1], or [1,1].
  [[nodiscard]] Tensor sum(const Tensor& t) const {
    return kind_ == HeadKind::per_tag ? t.sum(1, true) : t.sum().reshape({1, 1});
  }
  [[nodiscard]] Tensor dot(const Point& a, const Point& b) const {
    return sum(a.theta * b.theta) + sum(a.bias * b.bias);
  }

  [[nodiscard]] Tensor logits(const Point& p) const { return torch::addmm(p.bias, p.theta, rows_.t()); }  // [K,N]
  [[nodiscard]] Tensor probability(const Tensor& logits) const {
    return kind_ == HeadKind::per_tag ? torch::sigmoid(logits) : torch::softmax(logits, 0);
  }
  [[nodiscard]] Tensor loss(const Tensor& logits) const {
    if (kind_ == HeadKind::softmax) return c_ * sum(-truth_ * torch::log_softmax(logits, 0));
    return c_ * sum(logits.clamp_min(0) - logits * truth_ + torch::log1p(torch::exp(-logits.abs())));
  }

  [[nodiscard]] Point gradient(const Point& at, const Tensor& probability) const {
    const Tensor error = c_ * (probability - truth_);  // [K,N]
    return {torch::addmm(at.theta, error, rows_), error.sum(1, true)};
  }
  // The Hessian at `probability` times a direction whose logits are known.
  [[nodiscard]] Point curvature(const Tensor& probability, const Point& direction, const Tensor& its_logits) const {
    Tensor bent = probability * its_logits;  // [K,N]
    bent = c_ * (bent - probability * (kind_ == HeadKind::per_tag ? bent : bent.sum(0, true)));
    return {torch::addmm(direction.theta, bent, rows_), bent.sum(1, true)};
  }
  // The Hessian's diagonal, approximated with equal weights of all rows of a class.
  [[nodiscard]] Point diagonal(const Tensor& probability) const {
    const Tensor weight = c_ * (probability * (1.0 - probability)).sum(1, true);  // [K,1]
    const auto n = static_cast<double>(rows_.size(0));
    return {weight / n * squares_ + 1.0, weight.clamp_min(1e-12 * c_)};
  }

 private:
  const Tensor &rows_, &squares_;
  Tensor truth_;  // [K,N]
  double c_;
  HeadKind kind_;
};

// a / b where b is above 0, else 0: a converged problem stays unchanged while the others go on.
Tensor share(const Tensor& a, const Tensor& b) { return torch::where(b > 0, a / b, torch::zeros_like(b)); }

struct Step {
  Point direction;
  Tensor logits;  // [K,N]: the direction's
};

// Newton's direction by preconditioned conjugate gradients. Source: Nocedal and Wright 2006, algorithms 5.3 and 7.1.
Step direction(const Problem& problem, const Tensor& probability, const Point& gradient) {
  const Point scale = problem.diagonal(probability);
  Point residual{-gradient.theta, -gradient.bias};
  Point scaled{residual.theta / scale.theta, residual.bias / scale.bias};
  Point along = scaled;
  Step step{{torch::zeros_like(along.theta), torch::zeros_like(along.bias)}, torch::zeros_like(probability)};
  Tensor length = problem.dot(residual, scaled);
  const Tensor enough = length * (kForcing * kForcing);
  for (int i = 0; i < kMaxConjugate; ++i) {
    const Tensor logits = problem.logits(along);
    const Point bent = problem.curvature(probability, along, logits);
    const Tensor a = share(length, problem.dot(along, bent));
    step.direction.theta.add_(a * along.theta);
    step.direction.bias.add_(a * along.bias);
    step.logits.add_(a * logits);
    residual.theta.sub_(a * bent.theta);
    residual.bias.sub_(a * bent.bias);
    scaled = {residual.theta / scale.theta, residual.bias / scale.bias};
    const Tensor next = problem.dot(residual, scaled);
    if ((next <= enough).all().item<bool>()) break;
    const Tensor b = share(next, length);
    along = {scaled.theta + b * along.theta, scaled.bias + b * along.bias};
    length = next;
  }
  return step;
}

// Backtracks each problem's step length until its objective decreases enough. Logits are linear in the length, so a
// trial needs no matrix product.
Tensor length_of(const Problem& problem, const Point& at, const Step& step, const Tensor& logits,
                 const Tensor& objective, const Tensor& slope) {
  const Tensor square = problem.sum(step.direction.theta * step.direction.theta);
  const Tensor mixed = problem.sum(step.direction.theta * at.theta);
  const Tensor before = problem.sum(at.theta * at.theta);
  Tensor length = torch::ones_like(slope);
  for (int i = 0; i < kMaxHalvings; ++i) {
    const Tensor after =
        problem.loss(logits + length * step.logits) + 0.5 * (before + 2.0 * length * mixed + length * length * square);
    const Tensor high = after > objective + kArmijo * length * slope + kRounding * objective;
    if (!high.any().item<bool>()) break;
    length = torch::where(high, 0.5 * length, length);
  }
  return length;
}

}  // namespace

Newton::Newton(const Tensor& features) {
  torch::NoGradGuard no_grad;
  mean_ = features.mean(0);
  const Tensor x = features - mean_;  // [N,D]
  const bool wide = x.size(1) > x.size(0);
  // Of the smaller of X X^T and X^T X; eigenvalues are the squared singular values, ascending.
  auto [squares, vectors] = torch::linalg_eigh(wide ? torch::mm(x, x.t()) : torch::mm(x.t(), x));
  // Directions in which the rows differ by less than 1e-6 of the largest are rounding errors of the product.
  const double largest = squares.max().clamp_min(0).item<double>();
  const Tensor kept = (squares > 1e-12 * largest).nonzero().flatten();
  squares_ = squares.index_select(0, kept);
  vectors = vectors.index_select(1, kept);
  basis_ = wide ? torch::mm((vectors / squares_.sqrt()).t(), x) : vectors.t().contiguous();
  rows_ = wide ? vectors * squares_.sqrt() : torch::mm(x, vectors);
}

Point Newton::start(const Labels& labels) const {
  const Tensor p = labels.hot.mean(0).unsqueeze(1);  // [K,1]
  return {torch::zeros({p.size(0), rows_.size(1)}, torch::kDouble),
          labels.kind == HeadKind::per_tag ? torch::logit(p) : torch::log(p)};
}

Point Newton::minimize(const Labels& labels, double c, Point from) const {
  torch::NoGradGuard no_grad;
  const Problem problem(rows_, squares_, labels, c);
  Tensor logits = problem.logits(from);
  for (int i = 0; i < kMaxSteps; ++i) {
    const Tensor probability = problem.probability(logits);
    const Point gradient = problem.gradient(from, probability);
    const Step step = direction(problem, probability, gradient);
    const Tensor slope = problem.dot(gradient, step.direction);
    const Tensor objective = problem.loss(logits) + 0.5 * problem.sum(from.theta * from.theta);
    const Tensor length = length_of(problem, from, step, logits, objective, slope);
    from = {from.theta + length * step.direction.theta, from.bias + length * step.direction.bias};
    logits = problem.logits(from);
    if ((-slope <= kTolerance * objective).all().item<bool>()) return from;
  }
  throw Exception(Code::internal, "the linear head did not converge at C = " + std::to_string(c));
}

Tensor Newton::weights(const Point& point) const { return torch::mm(point.theta, basis_); }

Tensor Newton::bias(const Point& point) const { return point.bias.squeeze(1) - torch::mv(weights(point), mean_); }

Tensor Newton::logits(const Point& point) const { return torch::mm(rows_, point.theta.t()) + point.bias.squeeze(1); }

}  // namespace reeltag::model

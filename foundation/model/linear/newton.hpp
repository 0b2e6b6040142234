// The optimum of a regularised logistic regression, by Newton's method in the space that the rows span.
// Newton: one thread at a time. It keeps features' size twice. An iteration that does not end is Exception(internal).
//
//   const Newton newton(features);          // float64 [N,D]
//   Point at = newton.minimise(labels, c, newton.start(labels));
//   at::Tensor weight = newton.weights(at); // [K,D]
#pragma once

#include <ATen/core/Tensor.h>

#include "reeltag/model/linear.hpp"

namespace reeltag::model {

struct Point {
  at::Tensor theta;  // [K,r]: weights in the basis of the row space
  at::Tensor bias;   // [K,1], for centred features
};

// Where the gradient vanishes a weight vector is a sum of rows, so with an orthonormal basis V [D,r] of the
// centred rows' span, r <= min(N,D), W = theta V^T loses nothing and |W| = |theta|: all strengths are solved on
// Z = X V [N,r]. V is the right singular vectors, because Z's columns are then orthogonal and the Hessian close to a
// diagonal that is known in advance.
class Newton {
 public:
  explicit Newton(const at::Tensor& features);

  [[nodiscard]] Point start(const Labels& labels) const;  // no weights, intercepts of the labels' shares
  // labels: every column has a 1, and with per_tag a 0.
  [[nodiscard]] Point minimize(const Labels& labels, double c, Point from) const;
  [[nodiscard]] at::Tensor weights(const Point& point) const;  // [K,D]
  [[nodiscard]] at::Tensor bias(const Point& point) const;     // [K], for features that are not centred
  [[nodiscard]] at::Tensor logits(const Point& point) const;   // [N,K] of the rows themselves

 private:
  at::Tensor mean_;     // [D]
  at::Tensor basis_;    // V^T [r,D]
  at::Tensor rows_;     // Z [N,r]
  at::Tensor squares_;  // [r]: squared singular values, the squared length of Z's columns
};

}  // namespace reeltag::model

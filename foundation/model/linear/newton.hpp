// Minimises regularised logistic regression by Newton's method in the row space of the features. Private.
// Newton: one thread at a time. Owns about twice the size of the features. Throws Exception(internal) if an iteration
// does not converge.
//
//   const Newton newton(features);          // float64 [N,D]
//   Point at = newton.minimize(labels, c, newton.start(labels));
//   at::Tensor weight = newton.weights(at); // [K,D]
#pragma once

#include <ATen/core/Tensor.h>

#include "reeltag/model/linear.hpp"

namespace reeltag::model {

struct Point {
  at::Tensor theta;  // [K,r]: weights in the basis of the row space
  at::Tensor bias;   // [K,1], for centred features
};

// At the optimum each weight vector is a linear combination of rows. With an orthonormal basis V [D,r] of the centred
// rows' span, r <= min(N,D), W = theta V^T is exact and |W| = |theta|, so all strengths are solved on Z = X V [N,r]. V
// holds the right singular vectors: Z's columns are then orthogonal and the Hessian is close to a known diagonal.
class Newton {
 public:
  explicit Newton(const at::Tensor& features);

  [[nodiscard]] Point start(const Labels& labels) const;  // zero weights, intercepts from the class frequencies
  // labels: every column contains a 1, and with per_tag also a 0.
  [[nodiscard]] Point minimize(const Labels& labels, double c, Point from) const;
  [[nodiscard]] at::Tensor weights(const Point& point) const;  // [K,D]
  [[nodiscard]] at::Tensor bias(const Point& point) const;     // [K], for features that are not centred
  [[nodiscard]] at::Tensor logits(const Point& point) const;   // [N,K], of the training rows

 private:
  at::Tensor mean_;     // [D]
  at::Tensor basis_;    // V^T [r,D]
  at::Tensor rows_;     // Z [N,r]
  at::Tensor squares_;  // [r]: squared singular values = squared norms of Z's columns
};

}  // namespace reeltag::model

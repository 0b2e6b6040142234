// Labels, standardisation, logits, probabilities and losses of a linear head.
#include <cmath>
#include <limits>

#include <torch/torch.h>

#include "checks.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/model/linear.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

[[noreturn]] void refuse(const std::string& why) { throw Exception(Code::invalid_argument, "linear head: " + why); }

std::string shape(const Tensor& t) {
  std::string out;
  for (const auto size : t.sizes()) out += (out.empty() ? "[" : ",") + std::to_string(size);
  return out.empty() ? "[]" : out + "]";
}

}  // namespace

Tensor checked_matrix(const Tensor& matrix, const std::string& what) {
  if (!matrix.defined() || matrix.dim() != 2 || matrix.numel() == 0)
    refuse(what + " must be a matrix, got " + (matrix.defined() ? shape(matrix) : "nothing"));
  Tensor out = matrix.detach().to(torch::kCPU, torch::kDouble).contiguous();
  if (!out.isfinite().all().item<bool>()) refuse(what + " must be finite numbers");
  return out;
}

void check_rows(const Tensor& matrix, const Tensor& labels, const std::string& what) {
  if (matrix.size(0) != labels.size(0))
    refuse(what + " " + shape(matrix) + " and labels " + shape(labels) + " differ in rows");
}

Labels class_labels(const Tensor& classes, std::int64_t count) {
  if (classes.dim() != 1 || classes.numel() == 0 || classes.scalar_type() != torch::kLong)
    refuse("class labels must be int64 [N], got " + shape(classes));
  const Tensor index = classes.to(torch::kCPU);
  if (count < 2 || index.min().item<std::int64_t>() < 0 || index.max().item<std::int64_t>() >= count)
    refuse("class labels must be at least 0 and below the " + std::to_string(count) + " classes, two at least");
  return {HeadKind::softmax, torch::one_hot(index, count).to(torch::kDouble)};
}

Labels tag_labels(const Tensor& hot) {
  Tensor out = checked_matrix(hot, "tag labels");
  if (!((out == 0) | (out == 1)).all().item<bool>()) refuse("tag labels must be 0 or 1");
  return {HeadKind::per_tag, out};
}

Labels rows_of(const Labels& labels, const Tensor& rows) { return {labels.kind, labels.hot.index_select(0, rows)}; }

Standard fit_standard(const Tensor& features, const Tensor& emphasis) {
  const Tensor x = checked_matrix(features, "features");              // [N,D]
  auto [variance, mean] = torch::var_mean(x, 0, /*unbiased=*/false);  // [D]
  const Tensor deviation = variance.sqrt();
  // Variation below float32 resolution is rounding and must not be scaled up to 1.
  const Tensor constant = deviation <= mean.abs() * std::numeric_limits<float>::epsilon();
  const Tensor scale = torch::where(constant, torch::ones_like(deviation), deviation);
  if (!emphasis.defined()) return {mean, scale};
  if (emphasis.sizes() != scale.sizes() || !(emphasis >= 0).all().item<bool>())
    refuse("an emphasis must be at least 0 for each of the dimensions, got " + shape(emphasis));
  return {mean, scale / emphasis};  // by 0: infinite, and x / scale is 0
}

Standard no_standard(std::int64_t dims) {
  return {torch::zeros({dims}, torch::kDouble), torch::ones({dims}, torch::kDouble)};
}

Tensor logits(const LinearHead& head, const Tensor& features) {
  const Tensor x = checked_matrix(features, "features");
  if (x.size(1) != head.weight.size(1))
    refuse("features " + shape(x) + " for a head of " + std::to_string(head.weight.size(1)) + " dimensions");
  return torch::addmm(head.bias, x, head.weight.t());
}

Tensor probabilities(HeadKind kind, const Tensor& logits) {
  const Tensor x = logits.to(torch::kDouble);
  return kind == HeadKind::softmax ? torch::softmax(x, 1) : torch::sigmoid(x);
}

Tensor losses(const Tensor& logits, const Labels& labels) {
  const Tensor x = checked_matrix(logits, "logits");
  if (x.sizes() != labels.hot.sizes()) refuse("logits " + shape(x) + " for labels " + shape(labels.hot));
  if (labels.kind == HeadKind::softmax) return -(labels.hot * torch::log_softmax(x, 1)).sum(1);
  return torch::binary_cross_entropy_with_logits(x, labels.hot, {}, {}, at::Reduction::None).mean(1);
}

double log_loss(const Tensor& logits, const Labels& labels) { return losses(logits, labels).mean().item<double>(); }

}  // namespace reeltag::model

#include "drawing.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

thread_local BatchPart drawing_for;

// An empty tensor with the whole batch's rows, otherwise like x, including strides: draws fill memory in order.
Tensor empty_whole(const Tensor& x) {
  std::vector<std::int64_t> sizes = x.sizes().vec(), strides = x.strides().vec();
  strides[0] = x.numel() / x.size(0);
  sizes[0] = drawing_for.of;
  return torch::empty_strided(sizes, strides, x.options());
}

Tensor own_rows(const Tensor& whole, const Tensor& x) { return whole.narrow(0, drawing_for.first, x.size(0)); }

}  // namespace

DrawingFor::DrawingFor(const BatchPart& part) : before_(drawing_for) { drawing_for = part; }
DrawingFor::~DrawingFor() { drawing_for = before_; }

Tensor draw_per_sample(const Tensor& x) {
  if (drawing_for.is_whole()) return torch::rand({x.size(0), 1, 1}, x.options());
  return own_rows(torch::rand({drawing_for.of, 1, 1}, x.options()), x);
}

Tensor draw_dropout(const Tensor& x, double rate, bool training) {
  if (drawing_for.is_whole() || !training || rate == 0.0) return torch::dropout(x, rate, training);
  // Repeats torch::dropout's steps, so that one rank and several drop the same.
  const Tensor kept = [&] {
    const torch::NoGradGuard no_grad;
    return own_rows(empty_whole(x).bernoulli_(1.0 - rate).div_(1.0 - rate), x);
  }();
  return x * kept;
}

}  // namespace reeltag::model

// The closed-form fill of the reference vectors: every value follows from a name and an index.
#include <torch/torch.h>

#include "reeltag/model/mvit.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {
namespace {

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return torch::tensor(values).view(shape);
}

}  // namespace

void fill_closed_form(Mvit& net) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : net.parameters()) {
    if (name == "pos_embed" && net.plan().recipe.mvit.use_fixed_sincos_pos) continue;
    tensor.copy_(tensor_of(closed_form_weight(name, tensor.sizes().vec()), tensor.sizes()));
  }
}

at::Tensor closed_form_input(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const auto axis : shape) count *= static_cast<std::size_t>(axis);
  return tensor_of(closed_form("input", count, 0.0, 2.0), shape);
}

}  // namespace reeltag::model

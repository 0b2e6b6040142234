// Weights into and out of a net.
#include <algorithm>

#include <torch/torch.h>

#include "reeltag/model/mvit.hpp"

namespace reeltag::model {

Mvit make_net(const Recipe& recipe, const Weights& weights) {
  const torch::NoGradGuard no_grad;
  Mvit net(make_plan(recipe), 0);
  for (auto& [name, tensor] : net.parameters()) {
    const Array* stored = weights.find(name);
    if (stored == nullptr) throw Exception(Code::corrupt, "the weights lack " + name);
    if (tensor.sizes() != at::IntArrayRef(stored->shape))
      throw Exception(Code::corrupt, "the weights' " + name + " has another shape than the recipe's");
    // from_blob has no const form; the values are only read.
    tensor.copy_(torch::from_blob(const_cast<float*>(stored->values.data()), stored->shape));
  }
  net.set_training(false);
  return net;
}

NamedArrays arrays_of(const Mvit& net) {
  NamedArrays out;
  for (const auto& [name, tensor] : net.parameters()) {
    const at::Tensor values = tensor.detach().cpu().to(torch::kFloat).contiguous();
    const float* data = values.const_data_ptr<float>();
    out.emplace_back(name, Array{values.sizes().vec(), {data, data + values.numel()}});
  }
  return out;
}

}  // namespace reeltag::model

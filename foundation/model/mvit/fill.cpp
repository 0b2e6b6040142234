// The closed-form fill of the reference vectors: every value follows from a name and an index.
#include <cmath>
#include <string_view>

#include <torch/torch.h>

#include "reeltag/base/hash.hpp"
#include "reeltag/model/mvit.hpp"

namespace reeltag::model {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014) of seed and index, as a value in [-1,1) with 24 bits.
double unit(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  return (static_cast<double>(z >> 40U) - 8388608.0) / 8388608.0;
}

void fill(at::Tensor tensor, std::string_view name, double center, double spread) {
  const std::uint64_t seed = fnv1a64(name);
  at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
  float* data = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    data[i] = static_cast<float>(center + spread * unit(seed, static_cast<std::uint64_t>(i)));
  }
  tensor.copy_(values);
}

bool is_position(std::string_view last) {
  return last == "cls_token" || last.starts_with("pos_embed") || last == "mask_token" || last == "decoder_pos_embed" ||
         last.starts_with("rel_pos");
}

}  // namespace

void fill_closed_form(Mvit& net) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : net.parameters()) {
    const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
    if (name == "pos_embed" && net.plan().recipe.mvit.use_fixed_sincos_pos) continue;
    if (is_position(last)) {
      fill(tensor, name, 0.0, 0.5);
    } else if (tensor.dim() >= 2) {
      const auto fan = static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0));
      fill(tensor, name, 0.0, std::sqrt(3.0 / fan));
    } else {
      fill(tensor, name, last == "weight" ? 1.0 : 0.0, 0.1);
    }
  }
}

at::Tensor closed_form_input(const std::vector<std::int64_t>& shape) {
  at::Tensor input = at::empty(shape, at::kFloat);
  fill(input, "input", 0.0, 2.0);
  return input;
}

}  // namespace reeltag::model

#include <cmath>

#include "reeltag/base/hash.hpp"
#include "reeltag/model/weights.hpp"

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

bool is_position(std::string_view last) {
  return last == "cls_token" || last.starts_with("pos_embed") || last == "mask_token" || last == "decoder_pos_embed" ||
         last.starts_with("rel_pos");
}

}  // namespace

std::vector<float> closed_form(std::string_view name, std::size_t count, double center, double spread) {
  const std::uint64_t seed = fnv1a64(name);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(center + spread * unit(seed, i));
  return values;
}

std::vector<float> closed_form_weight(std::string_view name, const std::vector<std::int64_t>& shape) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  std::size_t count = 1;
  for (const auto axis : shape) count *= static_cast<std::size_t>(axis);
  if (is_position(last)) return closed_form(name, count, 0.0, 0.5);
  if (shape.size() >= 2) {
    const double fan = static_cast<double>(count) / static_cast<double>(shape[0]);
    return closed_form(name, count, 0.0, std::sqrt(3.0 / fan));
  }
  return closed_form(name, count, last == "weight" ? 1.0 : 0.0, 0.1);
}

}  // namespace reeltag::model

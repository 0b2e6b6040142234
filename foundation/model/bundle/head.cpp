#include "head.hpp"

#include <numeric>

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

StoredHead read(const fs::path& file, const std::string& prefix) {
  const Weights stored = read_weights(file);
  const auto* weight = stored.find(prefix + ".weight");
  const auto* bias = stored.find(prefix + ".bias");
  if (weight == nullptr || bias == nullptr)
    throw Exception(Code::corrupt, file.string() + " lacks " + prefix + ".weight or " + prefix + ".bias");
  return {*weight, *bias};
}

}  // namespace

NamedArrays arrays_of(const Head& head) {
  const auto classes = static_cast<std::int64_t>(head.weight.size());
  Array weight{{classes, static_cast<std::int64_t>(head.weight.empty() ? 0 : head.weight.front().size())}, {}};
  for (const auto& row : head.weight) weight.values.insert(weight.values.end(), row.begin(), row.end());
  return {{"head.weight", std::move(weight)}, {"head.bias", {{classes}, head.bias}}};
}

std::vector<float> StoredHead::logits(std::span<const float> features) const {
  std::vector<float> out = bias.values;
  const float* row = weight.values.data();
  for (float& logit : out) {
    // In float64: hundreds of thousands of products may be added.
    logit = static_cast<float>(std::inner_product(features.begin(), features.end(), row, static_cast<double>(logit)));
    row += features.size();
  }
  return out;
}

StoredHead load_head(const fs::path& folder, const Bundle& bundle, int width) {
  StoredHead head = bundle.plain() ? read(folder / "weights.safetensors", "head.projection")
                                   : read(folder / "head.safetensors", "head");
  const auto classes = static_cast<std::int64_t>(bundle.vocabulary.size());
  if (head.weight.shape != std::vector<std::int64_t>{classes, width} ||
      head.bias.shape != std::vector<std::int64_t>{classes}) {
    throw Exception(Code::corrupt, "bundle " + folder.string() + ": its head does not fit " + std::to_string(classes) +
                                       " hashtags and " + std::to_string(width) + " features");
  }
  return head;
}

}  // namespace reeltag::model

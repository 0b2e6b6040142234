#include "head.hpp"

#include <torch/torch.h>

#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

HeadTensors read(const fs::path& file, const std::string& prefix) {
  const TensorFile stored = read_safetensors(file);
  const auto* weight = stored.find(prefix + ".weight");
  const auto* bias = stored.find(prefix + ".bias");
  if (weight == nullptr || bias == nullptr)
    throw Exception(Code::corrupt, file.string() + " lacks " + prefix + ".weight or " + prefix + ".bias");
  return {weight->to(torch::kFloat).contiguous(), bias->to(torch::kFloat).contiguous()};
}

}  // namespace

std::vector<std::pair<std::string, at::Tensor>> tensors_of(const Head& head) {
  const auto classes = static_cast<std::int64_t>(head.weight.size());
  const auto width = static_cast<std::int64_t>(head.weight.empty() ? 0 : head.weight.front().size());
  at::Tensor weight = torch::empty({classes, width});
  for (std::int64_t c = 0; c < classes; ++c) weight[c] = torch::tensor(head.weight[static_cast<std::size_t>(c)]);
  return {{"head.weight", weight}, {"head.bias", torch::tensor(head.bias)}};
}

HeadTensors load_head(const fs::path& folder, const Bundle& bundle, int width) {
  const HeadTensors head = bundle.plain() ? read(folder / "weights.safetensors", "head.projection")
                                          : read(folder / "head.safetensors", "head");
  const auto classes = static_cast<std::int64_t>(bundle.vocabulary.size());
  if (head.weight.dim() != 2 || head.weight.size(0) != classes || head.weight.size(1) != width ||
      head.bias.dim() != 1 || head.bias.size(0) != classes) {
    throw Exception(Code::corrupt, "bundle " + folder.string() + ": its head does not fit " + std::to_string(classes) +
                                       " hashtags and " + std::to_string(width) + " features");
  }
  return head;
}

}  // namespace reeltag::model

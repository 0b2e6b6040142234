#include "net.hpp"

#include <algorithm>

namespace reeltag::model {
namespace {
constexpr std::size_t kMostSizes = 8;  // of which compiled graphs are kept; each has its own copy of the weights
}

Net::Net(const std::filesystem::path& folder, const Bundle& bundle, int threads)
    : plan_(make_plan(bundle.recipe)), weights_(load_net_weights(folder, bundle)), threads_(threads) {
  compiled(trained_size(plan_, 1));  // finds weights that do not fit before any work
}

const infer::CompiledNet& Net::compiled(const ClipSize& size) {
  const auto known =
      std::find_if(compiled_.begin(), compiled_.end(), [&](const auto& one) { return one.first == size; });
  if (known != compiled_.end()) {
    compiled_.splice(compiled_.begin(), compiled_, known);
  } else {
    compiled_.emplace_front(size, infer::CompiledNet(mvit_graph(plan_, weights_, size), {.threads = threads_}));
    if (compiled_.size() > kMostSizes) compiled_.pop_back();
  }
  return compiled_.front().second;
}

std::vector<float> Net::embed(std::span<const float> clip, const ClipSize& size) {
  std::vector<float> embedding(static_cast<std::size_t>(plan_.dim_out));
  compiled(size).run({{"clips", clip}}, {{"embedding", embedding}});
  return embedding;
}

}  // namespace reeltag::model

// A bundle's MViT as an inference graph. Private. One thread at a time; owns its weights and the graphs compiled from
// them. Throws Exception(corrupt) for weights that do not fit the recipe.
#pragma once

#include <filesystem>
#include <list>
#include <span>
#include <utility>
#include <vector>

#include "reeltag/model/bundle.hpp"
#include "reeltag/model/mvit_graph.hpp"

namespace reeltag::model {

class Net {
 public:
  // threads: 0 for as many as the processor has cores.
  Net(const std::filesystem::path& folder, const Bundle& bundle, int threads);

  [[nodiscard]] int width() const { return plan_.dim_out; }
  // The embedding [width] of one clip [3,frames,height,width].
  std::vector<float> embed(std::span<const float> clip, const ClipSize& size);

 private:
  const infer::CompiledNet& compiled(const ClipSize& size);

  Plan plan_;
  Weights weights_;
  int threads_;
  std::list<std::pair<ClipSize, infer::CompiledNet>> compiled_;  // latest first
};

}  // namespace reeltag::model

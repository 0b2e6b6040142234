// The linear head in files and at work. Private. Functions, any thread. Throws Exception(corrupt) for a head that is
// incomplete or does not fit the bundle.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "reeltag/model/bundle.hpp"

namespace reeltag::model {

NamedArrays arrays_of(const Head& head);

// A head as its bundle stores it: weight [class,feature], bias [class].
struct StoredHead {
  Array weight, bias;

  // The logits of one row of features.
  [[nodiscard]] std::vector<float> logits(std::span<const float> features) const;
};
// Loads the bundle's head from head.safetensors, or the net's classifier if the bundle is plain. width: number of
// features.
StoredHead load_head(const std::filesystem::path& folder, const Bundle& bundle, int width);

}  // namespace reeltag::model

// Converts the linear head to and from tensors. Private. Functions, any thread. Throws Exception(corrupt) for a head
// that is incomplete or does not fit the bundle.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/bundle.hpp"

namespace reeltag::model {

struct HeadTensors {
  at::Tensor weight, bias;  // float32 [class,feature], [class]
};

std::vector<std::pair<std::string, at::Tensor>> tensors_of(const Head& head);

// Loads the bundle's head from head.safetensors, or the net's classifier if the bundle is plain. width: number of
// features.
HeadTensors load_head(const std::filesystem::path& folder, const Bundle& bundle, int width);

}  // namespace reeltag::model

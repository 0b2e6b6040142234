// The linear head as tensors.
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

// The bundle's head: its own, or the net's classifier where the bundle is plain. width: of the features.
HeadTensors load_head(const std::filesystem::path& folder, const Bundle& bundle, int width);

}  // namespace reeltag::model

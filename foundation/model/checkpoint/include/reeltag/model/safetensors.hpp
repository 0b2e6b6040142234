// Reads and writes named tensors in the safetensors format: a JSON header, then raw little-endian data.
// Source of the format: huggingface/safetensors, README "Format".
// Functions, any thread; TensorFile is a value that owns its tensors. Files are untrusted: every size, offset, type and
// name is checked before use, and an invalid file throws Exception(corrupt) that names it. Writes are atomic and
// durable.
//
//   model::TensorFile file = model::read_safetensors("weights.safetensors");
//   at::Tensor w = file.at("head.projection.weight");
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/base/error.hpp"

namespace reeltag::model {

struct TensorFile {
  std::vector<std::pair<std::string, at::Tensor>> tensors;  // on the CPU, contiguous, in file order
  std::map<std::string, std::string> metadata;

  [[nodiscard]] const at::Tensor* find(const std::string& name) const;
  [[nodiscard]] const at::Tensor& at(const std::string& name) const;  // throws Exception(not_found)
};

TensorFile read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace reeltag::model

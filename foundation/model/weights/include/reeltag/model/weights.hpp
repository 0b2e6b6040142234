// A net's weights as named arrays of float32, without libtorch; and what a safetensors file holds, byte by byte.
// Source of the format: huggingface/safetensors, README "Format": a JSON header, then raw little-endian data.
//
// Weights is a value that owns its arrays; the functions may be called from any thread. Files are untrusted: every
// size, offset, type and name is checked before use, and an invalid file throws Exception(corrupt) that names it; one
// that cannot be read throws Exception(not_found).
//
//   const model::Weights weights = model::read_weights("weights.safetensors");
//   const model::Array& w = weights.at("head.projection.weight");  // w.shape, w.values
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::model {

struct Array {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row by row
};

class Weights {
 public:
  void put(std::string name, Array array) { arrays_[std::move(name)] = std::move(array); }
  [[nodiscard]] const Array* find(const std::string& name) const;
  [[nodiscard]] const Array& at(const std::string& name) const;  // throws Exception(not_found)
  [[nodiscard]] std::size_t size() const { return arrays_.size(); }

 private:
  std::map<std::string, Array> arrays_;
};

// Reads a safetensors file of floating-point arrays (float16, bfloat16, float32, float64).
Weights read_weights(const std::filesystem::path& file);

using NamedArrays = std::vector<std::pair<std::string, Array>>;
enum class Precision { float32, float16 };
// Writes a safetensors file with the arrays in this order, atomically and durably.
void write_weights(const std::filesystem::path& file, const NamedArrays& arrays, Precision precision);

// An array in a safetensors file.
struct StoredArray {
  std::string name;
  std::string type;  // F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes from the start of the file
};
struct SafetensorsHeader {
  std::vector<StoredArray> arrays;  // in the order of their bytes, which do not overlap and lie inside the file
  std::map<std::string, std::string> metadata;
};
SafetensorsHeader read_safetensors_header(std::ifstream& in, const std::filesystem::path& file);

// The closed-form weights and inputs of the reference vectors: a value per name and index, exact in any language
// (SplitMix64 seeded with the FNV-1a hash of the name, in [center - spread, center + spread)).
std::vector<float> closed_form(std::string_view name, std::size_t count, double center, double spread);
// Those of a parameter of this name and shape, scaled by its fan.
std::vector<float> closed_form_weight(std::string_view name, const std::vector<std::int64_t>& shape);

}  // namespace reeltag::model

// Files of Python's torch.save, in the zip format and in the older one, read without Python and without running
// anything; and written so that torch.load(weights_only=True) reads them (docs/adr/0054). Knows no torch.
//
// TorchFile: one thread; it owns the values it hands out and keeps the file open. The file is untrusted: every size,
// offset, stride and name is checked before use, memory stays within a few times the file's size, and a file that asks
// Python to call anything but the few functions that rebuild tensors is refused by that function's name. Refusals are
// Exception (corrupt, unsupported; not_found when the file is not there) and name the file.
//
//   model::TorchFile file(model::file_source("checkpoint.pyth"));
//   const model::PickleValue* state = file.root().find("model_state");
//   for (const auto& [name, value] : state->entries()) file.elements(*value->tensor);
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::model {

enum class Dtype { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };
std::uint64_t size_of(Dtype type);  // bytes of an element

struct StorageRecord {
  Dtype type = Dtype::f32;
  std::string key;          // of the file's entry that holds the elements
  std::uint64_t count = 0;  // elements
};

// Elements of a storage: the one at index i is at offset + sum(i[a] * strides[a]). Within the storage, always.
struct TensorRecord {
  const StorageRecord* storage = nullptr;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> shape, strides;

  [[nodiscard]] std::uint64_t count() const;
};

struct PickleValue {
  enum class Kind { none, boolean, integer, real, text, bytes, list, tuple, set, dict, tensor, storage, global };
  Kind kind = Kind::none;
  std::int64_t integer = 0;  // of boolean and integer
  double real = 0.0;
  std::string text;                 // of text, bytes, global ("torch.FloatStorage"), and an integer over 64 bits
  std::vector<PickleValue*> items;  // of list, tuple, set; of dict key, value, key, value ...
  std::unique_ptr<TensorRecord> tensor;
  const StorageRecord* storage = nullptr;

  // A dict's value; the last of equal keys. nullptr: no dict, or no such key.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
  // A dict's entries whose key is a text, in order.
  [[nodiscard]] std::vector<std::pair<std::string, const PickleValue*>> entries() const;
};

// Where bytes come from. read gives exactly count bytes or throws.
struct ByteSource {
  std::string name;  // for messages
  std::uint64_t size = 0;
  std::function<std::string(std::uint64_t offset, std::uint64_t count)> read;
};
ByteSource file_source(const std::filesystem::path& path);
ByteSource memory_source(const std::string& name, std::string bytes);

class TorchFile {
 public:
  explicit TorchFile(ByteSource source);
  ~TorchFile();
  TorchFile(TorchFile&&) noexcept;

  [[nodiscard]] const PickleValue& root() const;
  [[nodiscard]] const char* format() const;  // "torch zip" or "torch legacy"
  // A tensor's elements, row-major without gaps, little-endian.
  [[nodiscard]] std::string elements(const TensorRecord& tensor) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One float32 tensor to be written; the bytes are row-major, little-endian, and outlive the call.
struct NamedFloats {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};

// A PySlowFast checkpoint: {"epoch", "model_state", "cfg"} in the zip format. Atomic and durable. Over 4 GB:
// unsupported.
void write_torch_file(const std::filesystem::path& path, const std::vector<NamedFloats>& model_state,
                      std::int64_t epoch, std::string_view cfg);

}  // namespace reeltag::model

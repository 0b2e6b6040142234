// Reads files of Python's torch.save, in the zip and the legacy format, without Python and without executing any code;
// writes files that torch.load(weights_only=True) reads (docs/adr/0054). Does not depend on libtorch.
//
// TorchFile: one thread at a time; owns the values that it returns and keeps the file open. Files are untrusted: every
// size, offset, stride and name is checked before use, memory is limited to a few times the file's size, and a file
// that calls anything but the few functions that rebuild tensors is rejected with that function's name. Throws
// Exception (corrupt, unsupported, not_found), naming the file.
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
std::uint64_t size_of(Dtype type);  // bytes per element

struct StorageRecord {
  Dtype type = Dtype::f32;
  std::string key;          // file entry that holds the elements
  std::uint64_t count = 0;  // elements
};

// A view of a storage: the element at index i is at offset + sum(i[a] * strides[a]), always within the storage.
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

  // A dict's value; of equal keys the last. nullptr if this is not a dict or the key is absent.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
  // A dict's entries with text keys, in order.
  [[nodiscard]] std::vector<std::pair<std::string, const PickleValue*>> entries() const;
};

// Random-access input. read returns exactly count bytes or throws.
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
  // Returns a tensor's elements: row-major, contiguous, little-endian.
  [[nodiscard]] std::string elements(const TensorRecord& tensor) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A float32 tensor to write; bytes are row-major, little-endian, and must outlive the call.
struct NamedFloats {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};

// Writes a PySlowFast checkpoint, {"epoch", "model_state", "cfg"} in the zip format. Atomic and durable. Throws
// unsupported above 4 GB.
void write_torch_file(const std::filesystem::path& path, const std::vector<NamedFloats>& model_state,
                      std::int64_t epoch, std::string_view cfg);

}  // namespace reeltag::model

// Decodes the subset of Python's pickle format that torch.save writes: a stack machine with a memo that builds values.
// Calls and imports are limited to an allowlist that is implemented here; no Python code can run. Decoding is
// iterative, so nesting uses no call stack. Private. Functions, any thread; the Pickle owns its values.
// Source of the format: CPython Lib/pickletools.py; of torch's contents: torch/serialization.py, torch/_utils.py.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "reeltag/model/torch_file.hpp"

namespace reeltag::model {

struct Pickle {
  std::deque<PickleValue> values;      // storage of root and everything below it
  std::deque<StorageRecord> storages;  // one per rebuilt tensor; keys repeat
  PickleValue* root = nullptr;
  std::size_t used = 0;  // bytes consumed, including STOP
};

struct PickleLimits {
  std::size_t max_values = 2'000'000;        // values, and entries of the stack, of lists and of the memo
  std::uint64_t max_tensor_bytes = 1 << 20;  // total over all tensors
};

// Decodes the first pickle in bytes. Throws Exception(corrupt) with a message that starts with origin.
Pickle unpickle(std::string_view bytes, const std::string& origin, const PickleLimits& limits);

// Makes text from a file safe for a message: at most 100 bytes, control characters replaced.
std::string printable(std::string_view text);

}  // namespace reeltag::model

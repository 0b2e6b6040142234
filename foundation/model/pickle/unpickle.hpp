// Python's pickle format as far as torch.save writes it: a machine with a stack and a memo that builds values. Of its
// instructions that name something to call, only the few on a list are followed, and those are done here; Python's
// "import this and call it" does not exist. Nothing recurses, so nesting costs no stack.
// Source of the format: CPython Lib/pickletools.py; of what torch puts in it: torch/serialization.py, torch/_utils.py.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "reeltag/model/torch_file.hpp"

namespace reeltag::model {

struct Pickle {
  std::deque<PickleValue> values;      // what root and all below it point to
  std::deque<StorageRecord> storages;  // one per tensor that was rebuilt; keys repeat
  PickleValue* root = nullptr;
  std::size_t used = 0;  // bytes, up to and with the STOP
};

struct PickleLimits {
  std::size_t max_values = 2'000'000;        // values, and places on the stack, in lists and in the memo
  std::uint64_t max_tensor_bytes = 1 << 20;  // of all tensors together
};

// The first pickle in bytes. Throws Exception(corrupt) beginning with origin.
Pickle unpickle(std::string_view bytes, const std::string& origin, const PickleLimits& limits);

// Text from a file as it may stand in a message: at most 100 bytes, control characters replaced.
std::string printable(std::string_view text);

}  // namespace reeltag::model

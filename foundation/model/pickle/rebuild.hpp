// The globals that a torch pickle may reference, and how they become values: ordered dictionaries, storages, tensors
// and a few builtins. Private to the unpickler. One thread; values are owned by the Pickle that it fills. Throws
// Exception(corrupt).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unpickle.hpp"

namespace reeltag::model {

class Rebuild {
 public:
  Rebuild(Pickle& out, const std::string& origin, const PickleLimits& limits)
      : out_(out), origin_(origin), limits_(limits) {}

  [[noreturn]] void corrupt(const std::string& why) const;

  PickleValue* make(PickleValue::Kind kind);
  PickleValue* none();
  void add_items(PickleValue* to, const std::vector<PickleValue*>& items);

  // Returns an allowlisted global as a value; throws, naming it, for any other.
  PickleValue* global(std::string_view module, std::string_view name);
  PickleValue* call(const PickleValue* what, const std::vector<PickleValue*>& arguments);
  // Sets an object's state. Torch stores _metadata on ordered dictionaries; it is ignored, as it does not affect
  // weights.
  void set_state(const PickleValue* object, const PickleValue* state) const;
  // Resolves a persistent id: ("storage", type, key, location, count).
  PickleValue* storage(const PickleValue* id);

 private:
  PickleValue* tensor(const std::vector<PickleValue*>& arguments, std::size_t fewest);
  PickleValue* sequence(PickleValue::Kind kind, const std::vector<PickleValue*>& arguments);
  PickleValue* dictionary(const std::vector<PickleValue*>& arguments);
  PickleValue* encoded(const std::vector<PickleValue*>& arguments);
  [[nodiscard]] std::vector<std::int64_t> sizes(const PickleValue* value) const;
  void check_within(const TensorRecord& tensor);

  Pickle& out_;
  const std::string& origin_;
  const PickleLimits& limits_;
  PickleValue* none_ = nullptr;
  std::map<std::string, PickleValue*, std::less<>> globals_;
  std::size_t items_ = 0;           // in all containers
  std::uint64_t tensor_bytes_ = 0;  // of all tensors
};

}  // namespace reeltag::model

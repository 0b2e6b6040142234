// What a pickle of torch may name and what becomes of it: ordered dictionaries, storages, tensors and a few builtins.
// Used by the unpickler only; one thread; values live in the Pickle that it fills. Throws Exception(corrupt).
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

  // A name of the list, as a value; any other is refused by name.
  PickleValue* global(std::string_view module, std::string_view name);
  PickleValue* call(const PickleValue* what, const std::vector<PickleValue*>& arguments);
  // An object's extra state: ordered dictionaries carry torch's _metadata there, which says nothing about the weights.
  void set_state(const PickleValue* object, const PickleValue* state) const;
  // A persistent id: ("storage", type, key, location, count).
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

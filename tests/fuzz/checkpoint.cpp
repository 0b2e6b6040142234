// Files of torch.save, zip and legacy. Every tensor that is found must have all its elements.
#include "fuzz.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/model/torch_file.hpp"

using namespace reeltag;

namespace {

// Bounded: a pickle can refer to one value many times over.
void visit(const model::TorchFile& file, const model::PickleValue& value, int depth, int& left) {
  if (depth > 8 || --left < 0) return;
  if (value.tensor) {
    const std::string elements = file.elements(*value.tensor);
    fuzz::require(elements.size() == value.tensor->count() * model::size_of(value.tensor->storage->type),
                  "a tensor has all its elements");
  }
  for (const auto* item : value.items) visit(file, *item, depth + 1, left);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const model::TorchFile file(model::memory_source("fuzz.pyth", std::string(fuzz::text(data, size))));
    int left = 2000;
    visit(file, file.root(), 0, left);
  } catch (const Exception& e) {
    fuzz::require(std::string_view(e.what()).find("fuzz.pyth") != std::string_view::npos, "a refusal names the file");
  }
  return 0;
}

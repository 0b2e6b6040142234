// Weights files. What is read must survive writing.
#include "reeltag/model/safetensors.hpp"

#include "fuzz.hpp"

using namespace reeltag;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  model::TensorFile file;
  try {
    file = model::read_safetensors(fuzz::file_with(fuzz::text(data, size), ".safetensors"));
  } catch (const Exception&) {
    return 0;
  }
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += tensor.nbytes();
  fuzz::require(bytes <= size, "tensors are no larger than the file");
  return 0;
}

// Import manifests, JSON Lines and CSV: the first byte chooses, the rest is the file.
#include "import/manifest.hpp"
#include "fuzz.hpp"

using namespace reeltag;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const char* ending = data[0] == 'c' ? ".csv" : data[0] == 't' ? ".txt" : ".jsonl";
  try {
    const auto list = collect::read_manifest(fuzz::file_with(fuzz::text(data + 1, size - 1), ending));
    for (const auto& entry : list.entries) {
      fuzz::require(!entry.path.empty(), "an entry is named");
      fuzz::require(entry.candidate.has_value() || !entry.candidate.error().message.empty(), "a refusal has a reason");
    }
  } catch (const Exception&) {
  }
  return 0;
}

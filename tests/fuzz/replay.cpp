// Runs a target over its corpus: what a fuzzer once found stays mended.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz.hpp"

TEST(Corpus, Replays) {
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REELTAG_CORPUS)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++inputs;
  }
  EXPECT_GE(inputs, 3U) << "the corpus " << REELTAG_CORPUS << " is missing";
}

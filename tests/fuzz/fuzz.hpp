// What a fuzz target shares: the entry point that libFuzzer calls and a file for readers that take a path.
// A target returns for any input, good or bad; what it finds wrong ends the process (a sanitizer, or require()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer looks for
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace reeltag::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// One file a process, in memory, written anew for every input.
inline const std::filesystem::path& file_with(std::string_view content, const char* ending) {
  static const std::filesystem::path folder = [] {
    const auto path = std::filesystem::path("/dev/shm") / ("reeltag-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directory(path);
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all("/dev/shm/reeltag-fuzz-" + std::to_string(::getpid()), ignored);
    });
    return path;
  }();
  static std::filesystem::path path;
  path = folder / (std::string("input") + ending);
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
  return path;
}

}  // namespace reeltag::fuzz

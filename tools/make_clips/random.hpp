// A small random number generator with a defined sequence (the standard library's distributions differ between
// implementations). One thread. SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
// No failures.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace reeltag::make_clips {

class Random {
 public:
  // Each key gives an independent sequence: Random({seed, kStream, index}).
  Random(std::initializer_list<std::uint64_t> keys) {
    for (const auto key : keys) state_ = mix(state_ ^ mix(key + kGolden));
  }
  std::uint64_t next() { return mix(state_ += kGolden); }
  double real() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  double real(double low, double high) { return low + (high - low) * real(); }
  int below(int n) { return static_cast<int>(real() * n); }
  bool chance(double p) { return real() < p; }

 private:
  static constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_ = 0x243F6A8885A308D3ULL;
};

}  // namespace reeltag::make_clips

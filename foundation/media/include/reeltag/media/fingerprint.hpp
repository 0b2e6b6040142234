// Perceptual fingerprints of videos: copies that are re-encoded, scaled, slightly cropped or slightly shortened have
// similar fingerprints, other videos different ones (figures: docs/adr/0043-copies.md).
// Pure functions, any thread; plain values. Only fingerprint_from() can fail, by returning nullopt.
//
//   const auto frames = decoder.frames_at(fingerprint_times(duration), kFingerprintScale);
//   const auto print = fingerprint_of(*frames, duration);
//   if (look_alike(print, other)) ...
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/media.hpp"

namespace reeltag::media {

inline constexpr std::size_t kFingerprintFrames = 7;  // odd: one of them is in the middle
inline constexpr Scale kFingerprintScale{.short_side = 72};

struct Fingerprint {
  double duration = 0.0;  // seconds
  // One hash for the frame in the middle of each seventh of the video: 64 bits of coarse picture structure, of which a
  // copy changes few. Unset: the frame is flat (black, one color), as may occur in any video.
  std::array<std::optional<std::uint64_t>, kFingerprintFrames> frames{};

  bool operator==(const Fingerprint&) const = default;
};

// The times to request from a Decoder.
std::vector<double> fingerprint_times(double duration);
// frames: those of fingerprint_times(), in any size. Missing ones count as flat.
Fingerprint fingerprint_of(const Frames& frames, double duration);

// "1 12.480 0123456789abcdef - ...": the version of the method, the duration, the frames.
std::string to_text(const Fingerprint& fingerprint);
// nullopt if the text is not a fingerprint, or of another version.
std::optional<Fingerprint> fingerprint_from(std::string_view text);

// Symmetric, not transitive.
bool look_alike(const Fingerprint& a, const Fingerprint& b);

// For each fingerprint, the index of the first member of its cluster; clusters are the transitive closure of
// look_alike(). Sort by age, oldest first, to name clusters by their oldest video. About 1 s for 100,000; finds a pair
// if at least one of its 7 x 4 chunks of 16 bits is equal, which one in a thousand look-alike pairs fails.
std::vector<std::size_t> clusters_of(std::span<const Fingerprint> fingerprints);

}  // namespace reeltag::media

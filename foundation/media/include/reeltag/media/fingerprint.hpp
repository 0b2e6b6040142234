// A video by its looks: copies that were encoded anew, scaled, cropped a little or cut by a moment have near
// fingerprints, other videos far ones (docs/adr/0043-copies.md has the figures).
// Pure functions, any thread; plain values. Only fingerprint_from() can fail, by giving nothing.
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

inline constexpr std::size_t kFingerprintFrames = 7;  // odd: one of them is the middle
inline constexpr Scale kFingerprintScale{.short_side = 72};

struct Fingerprint {
  double duration = 0.0;  // seconds
  // Of the frames in the middle of each seventh of the video: 64 bits of a picture's coarse structure, of which a copy
  // changes few. Unset: a frame that is flat (black, one colour), as any video may have.
  std::array<std::optional<std::uint64_t>, kFingerprintFrames> frames{};

  bool operator==(const Fingerprint&) const = default;
};

// Times to ask a Decoder for.
std::vector<double> fingerprint_times(double duration);
// frames: those of fingerprint_times(), of any size. Missing ones count as flat.
Fingerprint fingerprint_of(const Frames& frames, double duration);

// "1 12.480 0123456789abcdef - ...": the version of the method, the duration, the frames.
std::string to_text(const Fingerprint& fingerprint);
// Nothing for a text that is none, or one of another version.
std::optional<Fingerprint> fingerprint_from(std::string_view text);

// Symmetric, not transitive.
bool look_alike(const Fingerprint& a, const Fingerprint& b);

// For each fingerprint the index of the first one of its cluster: itself, or one that looks like it, or like one that
// does ... Ascending order of age makes the oldest the name. About 1 s for 100,000; a pair is found when of its 7 x 4
// chunks of 16 bits at least one is equal, which pairs that look alike fail in one of a thousand cases.
std::vector<std::size_t> clusters_of(std::span<const Fingerprint> fingerprints);

}  // namespace reeltag::media

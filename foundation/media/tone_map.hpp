// Tone-maps HDR (PQ or HLG, BT.2020 colors) to SDR (BT.709 colors, 2.4 gamma display). Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <span>

namespace reeltag::media {

enum class Transfer { pq, hlg };

// Maps interleaved 16-bit RGB (full range, BT.2020 primaries) to 8-bit RGB (BT.709). Sizes must be equal.
void tone_map(Transfer transfer, std::span<const std::uint16_t> rgb, std::span<std::uint8_t> out);

}  // namespace reeltag::media

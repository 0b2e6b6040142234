// Puts the packets of a stream whose times restart or jump on one continuous timeline, as after joining recordings
// byte by byte. Pure functions, thread-safe.
#pragma once

#include <vector>

#include "timeline.hpp"

namespace reeltag::media {

// Rewrites the stamps of packets in decode order so that each segment continues where the one before it ended. Stamps
// that only wrap around after wrap_bits bits (MPEG: 33) are unwrapped. fps replaces missing durations. Returns whether
// anything changed.
bool make_continuous(std::vector<PacketEntry>& packets, AVRational time_base, double fps, int wrap_bits);

}  // namespace reeltag::media

// Decides which containers are read, by libav's name of the demuxer that recognizes the content. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "libav.hpp"

namespace reeltag::media {

enum class ContainerKind {
  readable,
  unread_video,  // holds video, but is not read
  no_video,      // sound, pictures, playlists, subtitles, scripts
};
ContainerKind kind_of(const AVInputFormat& container);

// Whether files of this container are joined byte by byte (disc titles, camera and recorder splits), each part with its
// own clock.
bool may_restart(const AVInputFormat& container);

// An animated WebP, which libav 5.1 takes for a still one. Needs the file's first kWebpHeadBytes bytes.
constexpr std::size_t kWebpHeadBytes = 21;
bool is_animated_webp(std::span<const std::uint8_t> head);

}  // namespace reeltag::media

// The two decoders: in this process, and in a worker process. Private to this module; Decoder::open chooses.
#pragma once

#include <memory>

#include "file.hpp"
#include "reeltag/media.hpp"

namespace reeltag::media {

Result<std::unique_ptr<Decoder>> open_libav(const std::shared_ptr<const File>& file, const Limits& limits);

// One worker process a video. What it answers is believed no more than the video is.
Result<std::unique_ptr<Decoder>> open_isolated(const std::shared_ptr<const File>& file, const Limits& limits);

}  // namespace reeltag::media

// The two decoders: in this process, and in a worker process. Private to this module; Decoder::open chooses one.
// Failures: as Decoder.
#pragma once

#include <memory>

#include "file.hpp"
#include "reeltag/media.hpp"

namespace reeltag::media {

Result<std::unique_ptr<Decoder>> open_libav(const std::shared_ptr<const File>& file, const Limits& limits);

// Uses one worker process per video. The worker's answers are as untrusted as the video.
Result<std::unique_ptr<Decoder>> open_isolated(const std::shared_ptr<const File>& file, const Limits& limits);

}  // namespace reeltag::media

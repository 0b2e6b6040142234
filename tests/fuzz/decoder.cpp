// Videos: any bytes, under small limits. What opens must give frames of the size that was asked for, or a reason.
#include <algorithm>

#include "fuzz.hpp"
#include "reeltag/media.hpp"

using namespace reeltag;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const media::Limits limits{
      .max_bytes = 1 << 20, .max_pixels = 640 * 480, .max_duration = 60.0, .max_decode_seconds = 2.0};
  const auto video = media::Decoder::open(fuzz::file_with(fuzz::text(data, size), ""), limits);
  if (!video) {
    fuzz::require(!video.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  const double end = (*video)->probe().duration;
  const double times[] = {end, 0.0, end / 2};
  const auto frames = (*video)->frames_at(times, {.short_side = 16});
  if (frames) {
    fuzz::require(frames->count == 3 && std::min(frames->height, frames->width) == 16, "frames are as asked for");
    fuzz::require(frames->data.size() == frames->frame_bytes() * 3, "all pixels are there");
  }
  const auto listed = (*video)->frame_times();
  fuzz::require(!listed || std::is_sorted(listed->begin(), listed->end()), "times rise");
  return 0;
}

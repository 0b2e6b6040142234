// Converts decoded pictures to upright, square-pixel RGB: orientation, aspect, scaling, color. One thread per
// Converter, which owns its buffers. Failure: Result.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libav.hpp"
#include "reeltag/media.hpp"
#include "tone_map.hpp"

namespace reeltag::media {

// The turn that makes a coded picture upright: first transpose, then mirror.
struct Orientation {
  bool transpose = false, flip_x = false, flip_y = false;

  // From a display matrix (av_display_*), rounded to the nearest of the eight right-angled orientations.
  static Orientation from_matrix(const std::int32_t matrix[9]);
  // Clockwise rotation in degrees, ignoring mirroring.
  [[nodiscard]] int degrees() const;
};

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

// Coded size, pixel shape and orientation of a stream.
struct Geometry {
  Size coded;
  AVRational pixel_aspect{1, 1};
  Orientation orientation;

  // Size of the upright picture with square pixels: scales the width by the aspect, as `scale=iw*sar:ih` does.
  [[nodiscard]] Size upright() const;
};

// The output size for an upright picture of this size. Fails if scale is contradictory.
Result<Size> scaled_size(Size upright, const Scale& scale);

// Converts the pictures of one stream to RGB of one size.
class Converter {
 public:
  Converter(Orientation orientation, Size output);

  // Writes output.width * output.height * 3 bytes to rgb. Fails (unsupported) for pixel formats that swscale cannot
  // read.
  Result<void> convert(const AVFrame& picture, std::span<std::uint8_t> rgb);

 private:
  // The parameters of the current scaler. Any of them may change between two frames of a stream.
  struct Source {
    Size size;
    int format = AV_PIX_FMT_NONE;
    int matrix = 0;
    bool full_range = false;
    std::optional<Transfer> hdr;
    bool operator==(const Source&) const = default;
  };
  static Source describe(const AVFrame& picture);
  Result<void> prepare(const Source& source);
  void write_upright(std::span<std::uint8_t> rgb) const;

  Orientation orientation_;
  Size output_;
  Size scaled_;  // output size before rotation
  Source source_;
  libav::SwsPtr scaler_;
  libav::FramePtr deep_;   // 16-bit RGB, for tone mapping
  libav::FramePtr plain_;  // 8-bit RGB, not yet upright
};

}  // namespace reeltag::media

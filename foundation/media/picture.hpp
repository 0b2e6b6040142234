// From a decoded picture to upright, square-pixel RGB: orientation, aspect, scaling, colour. One thread per Converter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libav.hpp"
#include "reeltag/media.hpp"
#include "tone_map.hpp"

namespace reeltag::media {

// How a coded picture is turned to stand upright: transposed first, then mirrored.
struct Orientation {
  bool transpose = false, flip_x = false, flip_y = false;

  // From a display matrix (av_display_*); the nearest of the eight right-angled ones.
  static Orientation from_matrix(const std::int32_t matrix[9]);
  // Clockwise turn in degrees, mirroring left aside.
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

  // Size of the upright picture with square pixels: the width takes the aspect, as `scale=iw*sar:ih` does.
  [[nodiscard]] Size upright() const;
};

// The size asked for by scale, for an upright picture of this size. Fails when scale contradicts itself.
Result<Size> scaled_size(Size upright, const Scale& scale);

// Turns pictures of one stream into RGB of one size.
class Converter {
 public:
  Converter(Orientation orientation, Size output);

  // Writes output.width * output.height * 3 bytes to rgb. Fails (unsupported) on pixel formats that swscale cannot
  // read.
  Result<void> convert(const AVFrame& picture, std::span<std::uint8_t> rgb);

 private:
  // What the scaler was built for. Streams may change any of it between two frames.
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
  Size scaled_;  // output size before turning
  Source source_;
  libav::SwsPtr scaler_;
  libav::FramePtr deep_;   // 16-bit RGB, for tone mapping
  libav::FramePtr plain_;  // 8-bit RGB, not yet upright
};

}  // namespace reeltag::media

#include "picture.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace reeltag::media {
namespace {

// Averages when shrinking; rounds exactly and interpolates chroma, which swscale's fast paths do not.
constexpr int kScalerFlags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;

bool is_rgb(AVPixelFormat format) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(format);
  return d != nullptr && (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

// A stream can contain any number in these fields, and reading one that the enumeration lacks is undefined behavior.
template <class Enum>
int as_coded(const Enum& field) {
  static_assert(sizeof(Enum) == sizeof(int));
  int value = 0;
  std::memcpy(&value, &field, sizeof value);
  return value;
}

// yuvj* formats imply "full range", which the scaler warns about; returns the same layout without the j.
AVPixelFormat without_j(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    default:
      return format;
  }
}

// The stream's matrix in swscale's numbering. If unspecified, or not supported by swscale: BT.709 from 720 lines up,
// else BT.601, as players do.
int matrix_of(const AVFrame& picture) {
  switch (as_coded(picture.colorspace)) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return picture.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  }
}

std::optional<Transfer> hdr_of(const AVFrame& picture) {
  if (as_coded(picture.color_trc) == AVCOL_TRC_SMPTE2084) return Transfer::pq;
  if (as_coded(picture.color_trc) == AVCOL_TRC_ARIB_STD_B67) return Transfer::hlg;
  return std::nullopt;
}

libav::FramePtr buffer(AVPixelFormat format, Size size) {
  auto frame = libav::owned<libav::FramePtr>(av_frame_alloc());
  frame->format = format;
  frame->width = size.width;
  frame->height = size.height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  return frame;
}

int rounded(double x) { return std::max(1, static_cast<int>(std::lround(std::min(x, 1e9)))); }

}  // namespace

Orientation Orientation::from_matrix(const std::int32_t matrix[9]) {
  // Maps a point (x, y) of the coded picture to (a x + c y, b x + d y).
  const std::int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (std::llabs(a) + std::llabs(d) >= std::llabs(b) + std::llabs(c)) return {false, a < 0, d < 0};
  return {true, c < 0, b < 0};
}

int Orientation::degrees() const {
  if (transpose) return flip_x || !flip_y ? 90 : 270;
  return flip_x && flip_y ? 180 : 0;
}

Size Geometry::upright() const {
  Size size = coded;
  const double aspect = av_q2d(pixel_aspect);
  // Ignores pixel aspects beyond ten to one, which come from broken headers.
  if (pixel_aspect.num > 0 && pixel_aspect.den > 0 && aspect > 0.1 && aspect < 10)
    size.width = rounded(size.width * aspect);
  if (orientation.transpose) std::swap(size.width, size.height);
  return size;
}

Result<Size> scaled_size(Size upright, const Scale& scale) {
  const bool exact = scale.width != 0 || scale.height != 0;
  if (scale.short_side < 0 || scale.width < 0 || scale.height < 0 ||
      (exact && (scale.width == 0 || scale.height == 0)) || (exact && scale.short_side != 0))
    return fail(Code::invalid_argument,
                "scale wants either short_side or width and height, all positive; got short_side " +
                    std::to_string(scale.short_side) + ", " + std::to_string(scale.width) + "x" +
                    std::to_string(scale.height));
  if (exact) return Size{scale.width, scale.height};
  if (scale.short_side == 0) return upright;
  const double w = upright.width, h = upright.height;
  if (w <= h) return Size{scale.short_side, rounded(h * scale.short_side / w)};
  return Size{rounded(w * scale.short_side / h), scale.short_side};
}

Converter::Converter(Orientation orientation, Size output)
    : orientation_(orientation),
      output_(output),
      scaled_(orientation.transpose ? Size{output.height, output.width} : output) {}

Converter::Source Converter::describe(const AVFrame& picture) {
  const auto named = static_cast<AVPixelFormat>(picture.format);
  Source s;
  s.size = {picture.width, picture.height};
  s.format = without_j(named);
  s.matrix = matrix_of(picture);
  s.full_range = as_coded(picture.color_range) == AVCOL_RANGE_JPEG || s.format != named || is_rgb(named);
  s.hdr = hdr_of(picture);
  return s;
}

Result<void> Converter::prepare(const Source& source) {
  const auto format = static_cast<AVPixelFormat>(source.format);
  if (!sws_isSupportedInput(format)) {
    const char* name = av_get_pix_fmt_name(format);
    return fail(Code::unsupported, std::string("pixel format ") + (name ? name : "unknown") + " cannot be converted");
  }
  const AVPixelFormat target = source.hdr ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24;
  auto scaler =
      libav::owned<libav::SwsPtr>(sws_getContext(source.size.width, source.size.height, format, scaled_.width,
                                                 scaled_.height, target, kScalerFlags, nullptr, nullptr, nullptr));
  const int one = 1 << 16;
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(source.matrix), source.full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, one, one);
  plain_ = buffer(AV_PIX_FMT_RGB24, scaled_);
  deep_ = source.hdr ? buffer(AV_PIX_FMT_RGB48, scaled_) : nullptr;
  scaler_ = std::move(scaler);
  source_ = source;
  return {};
}

Result<void> Converter::convert(const AVFrame& picture, std::span<std::uint8_t> rgb) {
  const Source source = describe(picture);
  if (!scaler_ || !(source == source_))
    if (auto ready = prepare(source); !ready) return ready;
  AVFrame& target = deep_ ? *deep_ : *plain_;
  const int rows =
      sws_scale(scaler_.get(), picture.data, picture.linesize, 0, picture.height, target.data, target.linesize);
  if (rows < 0) return fail(Code::decode_failed, "scaling failed: " + libav::error_text(rows));
  if (deep_) {
    const auto values = static_cast<std::size_t>(scaled_.width) * 3;
    for (int y = 0; y < scaled_.height; ++y) {
      const std::uint8_t* from = deep_->data[0] + static_cast<std::ptrdiff_t>(y) * deep_->linesize[0];
      std::uint8_t* to = plain_->data[0] + static_cast<std::ptrdiff_t>(y) * plain_->linesize[0];
      tone_map(*source.hdr, {reinterpret_cast<const std::uint16_t*>(from), values}, {to, values});
    }
  }
  write_upright(rgb);
  return {};
}

// Runs last, on the small picture, and removes the padding that swscale's vector code needs.
void Converter::write_upright(std::span<std::uint8_t> rgb) const {
  const std::uint8_t* source = plain_->data[0];
  const std::ptrdiff_t stride = plain_->linesize[0];
  std::uint8_t* to = rgb.data();
  for (int y = 0; y < output_.height; ++y) {
    const int v = orientation_.flip_y ? output_.height - 1 - y : y;
    if (!orientation_.transpose && !orientation_.flip_x) {
      std::memcpy(to, source + v * stride, static_cast<std::size_t>(output_.width) * 3);
      to += static_cast<std::ptrdiff_t>(output_.width) * 3;
      continue;
    }
    for (int x = 0; x < output_.width; ++x, to += 3) {
      const int u = orientation_.flip_x ? output_.width - 1 - x : x;
      const std::uint8_t* from = orientation_.transpose ? source + u * stride + v * 3 : source + v * stride + u * 3;
      std::memcpy(to, from, 3);
    }
  }
}

Result<Frames> resize(const Frames& frames, const Scale& scale) {
  const auto size = scaled_size({frames.width, frames.height}, scale);
  if (!size) return fail(size.error());
  Frames out{.count = frames.count, .height = size->height, .width = size->width, .data = {}, .times = frames.times};
  out.data.resize(out.frame_bytes() * static_cast<std::size_t>(out.count));
  Converter converter({}, *size);
  const auto source = buffer(AV_PIX_FMT_RGB24, {frames.width, frames.height});
  const std::size_t row = static_cast<std::size_t>(frames.width) * 3;
  for (int t = 0; t < frames.count; ++t) {
    for (int y = 0; y < frames.height; ++y) {
      std::memcpy(source->data[0] + static_cast<std::ptrdiff_t>(y) * source->linesize[0],
                  frames.frame(t).data() + row * static_cast<std::size_t>(y), row);
    }
    const std::span<std::uint8_t> target(out.data.data() + out.frame_bytes() * static_cast<std::size_t>(t),
                                         out.frame_bytes());
    if (auto done = converter.convert(*source, target); !done) return fail(done.error());
  }
  return out;
}

}  // namespace reeltag::media

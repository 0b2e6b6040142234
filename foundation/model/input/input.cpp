#include "reeltag/model/input.hpp"

#include <algorithm>
#include <cmath>

namespace reeltag::model {
namespace {

template <class T>
T range_entry(const std::vector<double>& list, std::size_t index, T missing) {
  return list.size() == 2 ? static_cast<T>(list[index]) : missing;
}

[[noreturn]] void bad(const std::string& message) { throw Exception(Code::invalid_config, message); }

// Where output pixel i of n samples an input of `size` pixels from `offset`: two neighbours and the second's weight.
struct Tap {
  int low = 0, high = 0;
  float weight = 0.0F;
};
std::vector<Tap> taps(int offset, int size, int n) {
  std::vector<Tap> out(static_cast<std::size_t>(n));
  const float scale = static_cast<float>(size) / static_cast<float>(n);
  for (int i = 0; i < n; ++i) {
    const float at = std::max(0.0F, (static_cast<float>(i) + 0.5F) * scale - 0.5F);
    const int low = std::min(static_cast<int>(at), size - 1);
    out[static_cast<std::size_t>(i)] = {offset + low, offset + std::min(low + 1, size - 1),
                                        at - static_cast<float>(low)};
  }
  return out;
}

}  // namespace

ClipSpec clip_spec(const Recipe& recipe) {
  const auto& d = recipe.data;
  const auto& own = recipe.own;
  if (own.sampler != "uniform" && own.sampler != "rate")
    bad("REELTAG.SAMPLER must be uniform or rate, not " + own.sampler);
  if (d.mean.size() != 3 || d.std.size() != 3) bad("DATA.MEAN and DATA.STD need three entries");
  if (d.num_frames < 1 || d.num_frames > 4096) bad("DATA.NUM_FRAMES must be 1 to 4096");
  if (own.segment_frames < 1 || own.segment_frames > 64) bad("REELTAG.SEGMENT_FRAMES must be 1 to 64");
  if (!(own.min_view > 0.0 && own.min_view <= 1.0)) bad("REELTAG.MIN_VIEW must be above 0 and at most 1");
  ClipSpec spec;
  spec.frames = d.num_frames;
  spec.height = spec.width = d.train_crop_size;
  spec.short_side = own.short_side > 0 ? own.short_side
                                       : (d.train_jitter_scales.empty() ? d.train_crop_size : d.train_jitter_scales[0]);
  spec.test_crop = own.test_crop_share > 0 ? std::min(own.test_crop_share, 1.0)
                                           : std::min(1.0, static_cast<double>(d.train_crop_size) / spec.short_side);
  spec.whole_picture = own.whole_picture;
  spec.reverse_channels = d.reverse_input_channel;
  spec.uniform = own.sampler == "uniform";
  if (!(d.target_fps > 0)) bad("DATA.TARGET_FPS must be above 0");
  spec.step = d.sampling_rate / d.target_fps;
  spec.segment_frames = own.segment_frames;
  spec.min_view = own.min_view;
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(d.std[c] > 0)) bad("DATA.STD must be above 0");
    spec.mean[c] = static_cast<float>(d.mean[c]);
    spec.std[c] = static_cast<float>(d.std[c]);
  }
  spec.area = {range_entry(d.train_jitter_scales_relative, 0, 1.0),
               range_entry(d.train_jitter_scales_relative, 1, 1.0)};
  spec.aspect = {range_entry(d.train_jitter_aspect_relative, 0, 1.0),
                 range_entry(d.train_jitter_aspect_relative, 1, 1.0)};
  if (!(spec.area[0] > 0 && spec.area[0] <= spec.area[1]) ||
      !(spec.aspect[0] > 0 && spec.aspect[0] <= spec.aspect[1])) {
    bad("DATA.TRAIN_JITTER_SCALES_RELATIVE and TRAIN_JITTER_ASPECT_RELATIVE need two rising numbers above 0");
  }
  spec.flip = d.random_flip;
  return spec;
}

std::vector<double> view_times(const ClipSpec& spec, const View& view) {
  std::vector<double> times(static_cast<std::size_t>(spec.frames));
  const double length = view.end - view.start;
  const double first = (view.start + view.end) / 2 - spec.step * (spec.frames - 1) / 2;
  for (int i = 0; i < spec.frames; ++i) {
    times[static_cast<std::size_t>(i)] =
        spec.uniform ? view.start + length * (i + 0.5) / spec.frames : std::max(0.0, first + spec.step * i);
  }
  return times;
}

std::vector<View> cover(double duration, double max_seconds, int max_views) {
  const double length = std::min(duration, max_seconds);
  if (!(length > 0.0) || duration <= max_seconds || max_views <= 1) return {{0.0, std::max(duration, 0.0)}};
  const int wanted = static_cast<int>(std::min(1e6, std::ceil((duration - length) / (length / 2) - 1e-9))) + 1;
  const int count = std::min(wanted, max_views);
  std::vector<View> views;
  for (int i = 0; i < count; ++i) {
    const double start = (duration - length) * i / (count - 1);
    views.push_back({start, start + length});
  }
  return views;
}

CropBox center_crop(const ClipSpec& spec, int height, int width) {
  const int side = std::max(1, static_cast<int>(std::lround(spec.test_crop * std::min(height, width))));
  return {.x = (width - side) / 2, .y = (height - side) / 2, .width = side, .height = side};
}

CropBox test_region(const ClipSpec& spec, int height, int width) {
  if (!spec.whole_picture) return center_crop(spec, height, width);
  constexpr int kMax = 4;
  const int h = std::min(height, kMax * width), w = std::min(width, kMax * height);
  return {.x = (width - w) / 2, .y = (height - h) / 2, .width = w, .height = h};
}

ClipSpec fit(const ClipSpec& spec, int height, int width) {
  if (!spec.whole_picture) return spec;
  constexpr int kStep = 32;  // pixels
  const CropBox region = test_region(spec, height, width);
  const int short_side = std::min(spec.height, spec.width);
  const auto side = [&](int of, int other) {
    if (of <= other) return short_side;
    const double exact = static_cast<double>(short_side) * of / other;
    return std::max(short_side, static_cast<int>(std::lround(exact / kStep)) * kStep);
  };
  ClipSpec fitted = spec;
  fitted.height = side(region.height, region.width);
  fitted.width = side(region.width, region.height);
  return fitted;
}

CropBox random_crop(const ClipSpec& spec, int height, int width, Random& random) {
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  const double log_low = std::log(spec.aspect[0]), log_high = std::log(spec.aspect[1]);
  const auto below = [&](int n) { return n > 0 ? static_cast<int>(random() % static_cast<std::uint64_t>(n + 1)) : 0; };
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = (spec.area[0] + unit(random) * (spec.area[1] - spec.area[0])) * height * width;
    const double aspect = std::exp(log_low + unit(random) * (log_high - log_low));
    const int w = static_cast<int>(std::lround(std::sqrt(area * aspect)));
    const int h = static_cast<int>(std::lround(std::sqrt(area / aspect)));
    if (w >= 1 && h >= 1 && w <= width && h <= height) {
      const int y = below(height - h), x = below(width - w);
      return {.x = x, .y = y, .width = w, .height = h};
    }
  }
  const double ratio = static_cast<double>(width) / height;
  int w = width, h = height;
  if (ratio < spec.aspect[0]) h = std::clamp(static_cast<int>(std::lround(w / spec.aspect[0])), 1, height);
  if (ratio > spec.aspect[1]) w = std::clamp(static_cast<int>(std::lround(h * spec.aspect[1])), 1, width);
  return {.x = (width - w) / 2, .y = (height - h) / 2, .width = w, .height = h};
}

void write_clip(const media::Frames& frames, std::span<const int> indices, const CropBox& box, bool mirror,
                const ClipSpec& spec, float* out) {
  const auto rows = taps(box.y, box.height, spec.height);
  auto columns = taps(box.x, box.width, spec.width);
  if (mirror) std::reverse(columns.begin(), columns.end());
  const std::size_t plane = rows.size() * columns.size();
  std::array<float, 3> scale{}, shift{};
  for (std::size_t c = 0; c < 3; ++c) {
    scale[c] = 1.0F / (255.0F * spec.std[c]);
    shift[c] = -spec.mean[c] / spec.std[c];
  }
  for (std::size_t t = 0; t < indices.size(); ++t) {
    const std::uint8_t* picture = frames.frame(indices[t]).data();
    const std::size_t stride = static_cast<std::size_t>(frames.width) * 3;
    for (std::size_t y = 0; y < rows.size(); ++y) {
      const std::uint8_t* low = picture + static_cast<std::size_t>(rows[y].low) * stride;
      const std::uint8_t* high = picture + static_cast<std::size_t>(rows[y].high) * stride;
      float* target = out + t * plane + y * columns.size();
      for (std::size_t x = 0; x < columns.size(); ++x) {
        const std::size_t a = static_cast<std::size_t>(columns[x].low) * 3,
                          b = static_cast<std::size_t>(columns[x].high) * 3;
        for (std::size_t c = 0; c < 3; ++c) {
          const float top = low[a + c] + columns[x].weight * (static_cast<float>(low[b + c]) - low[a + c]);
          const float bottom = high[a + c] + columns[x].weight * (static_cast<float>(high[b + c]) - high[a + c]);
          const std::size_t channel = spec.reverse_channels ? 2 - c : c;
          target[channel * indices.size() * plane + x] = (top + rows[y].weight * (bottom - top)) * scale[c] + shift[c];
        }
      }
    }
  }
}

}  // namespace reeltag::model

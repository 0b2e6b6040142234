// Converts a video's frames to a net's input: chooses the times of a clip's frames and the crop of the picture, and
// writes the normalised clip. Needs no libtorch; training, evaluation and tagging use the same code.
// Functions and values, any thread. Callers own the output buffers. Invalid settings throw Exception(invalid_config).
//
//   const model::ClipSpec spec = model::clip_spec(recipe);
//   auto times = model::view_times(spec, {0.0, 2.0});
//   auto frames = decoder.frames_at(times, {.short_side = spec.short_side});
//   model::write_clip(*frames, indices, model::test_region(spec, frames->height, frames->width), false, spec, out);
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "reeltag/media.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::model {

// The clip settings of a recipe.
struct ClipSpec {
  int frames = 8;                          // T
  int height = 64, width = 64;             // pixels; square unless fitted to a picture
  int short_side = 96;                     // pixels; frames are decoded at this short side
  double test_crop = 1.0;                  // side of the centre crop as a fraction of the short side
  bool uniform = true;                     // frames spread over the view; else `step` seconds apart
  double step = 0.0;                       // seconds between frames when not uniform
  int segment_frames = 2;                  // training draws each frame from this many
  double min_view = 1.0;                   // shortest training view as a fraction of the video
  bool whole_picture = false;              // test clips keep the picture's aspect ratio instead of a square crop
  std::array<float, 3> mean{}, std{};      // of values in [0,1], RGB
  bool reverse_channels = false;           // the net reads BGR
  std::array<double, 2> area{1.0, 1.0};    // random crop: fraction of the picture
  std::array<double, 2> aspect{1.0, 1.0};  // random crop: width / height
  bool flip = true;

  // Number of floats in one clip [3,T,height,width].
  [[nodiscard]] std::size_t clip_size() const { return static_cast<std::size_t>(3) * frames * height * width; }
};
ClipSpec clip_spec(const Recipe& recipe);

// An interval of a video in seconds, [start, end).
struct View {
  double start = 0.0, end = 0.0;
};

// Times in seconds of a test clip's frames: the middles of equal parts of the view (uniform), or `step` apart around
// the view's middle.
std::vector<double> view_times(const ClipSpec& spec, const View& view);

// Returns evenly placed views that cover the video, each at most max_seconds long and overlapping its neighbours by
// half. If that takes more than max_views, returns max_views of them further apart. A video shorter than max_seconds,
// and any video with max_views 1, gets one view over all of it.
std::vector<View> cover(double duration, double max_seconds, int max_views);

// A rectangle of the picture in pixels.
struct CropBox {
  int x = 0, y = 0, width = 0, height = 0;
};
CropBox center_crop(const ClipSpec& spec, int height, int width);
// The crop of test clips: the central square, or, with whole_picture, all of the picture up to an aspect ratio of 4:1.
CropBox test_region(const ClipSpec& spec, int height, int width);
// With whole_picture: returns the spec whose clips have that region's shape, with the short side as trained and the
// long side a multiple of 32 pixels (the total stride of the nets). Otherwise returns the spec unchanged.
ClipSpec fit(const ClipSpec& spec, int height, int width);

using Random = std::mt19937_64;
// Draws area and aspect from the ranges of spec, in up to ten tries; then falls back to the largest central box of an
// allowed aspect.
// Source: slowfast/datasets/transform.py@287ec007, random_resized_crop.
CropBox random_crop(const ClipSpec& spec, int height, int width, Random& random);

// Writes the clip [3,T,height,width] float32: the box of frames[indices], resized bilinearly (half-pixel centres, no
// antialiasing), optionally mirrored, (x/255 - mean) / std. indices has spec.frames entries, each below frames.count;
// out has spec.clip_size() floats.
void write_clip(const media::Frames& frames, std::span<const int> indices, const CropBox& box, bool mirror,
                const ClipSpec& spec, float* out);

}  // namespace reeltag::model

// From a video's frames to the numbers that a net reads: which moments make a clip, which part of the picture, and the
// normalised clip itself. Torch-free; the same code feeds training, evaluation and tagging.
// Functions and values; any thread. Wrong settings throw Exception(invalid_config).
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

// What a recipe says about a clip.
struct ClipSpec {
  int frames = 8;                          // T
  int height = 64, width = 64;             // pixels; a square unless fitted to a picture
  int short_side = 96;                     // pixels; frames are decoded at this short side
  double test_crop = 1.0;                  // side of the centre crop as a share of the short side
  bool uniform = true;                     // frames spread over the view; else `step` seconds apart
  double step = 0.0;                       // seconds between frames when not uniform
  int segment_frames = 2;                  // frames to draw one from, in training
  double min_view = 1.0;                   // shortest training view as a share of the video
  bool whole_picture = false;              // test clips keep the picture's shape instead of being cropped square
  std::array<float, 3> mean{}, std{};      // of values in [0,1], red, green, blue
  bool reverse_channels = false;           // the net reads blue, green, red
  std::array<double, 2> area{1.0, 1.0};    // random crop: share of the picture
  std::array<double, 2> aspect{1.0, 1.0};  // random crop: width / height
  bool flip = true;

  // Floats of one clip [3,T,height,width].
  [[nodiscard]] std::size_t clip_size() const { return static_cast<std::size_t>(3) * frames * height * width; }
};
ClipSpec clip_spec(const Recipe& recipe);

// An interval of a video in seconds, [start, end).
struct View {
  double start = 0.0, end = 0.0;
};

// The moments of the frames of a test clip, in the middle of equal parts of the view (uniform) or `step` apart around
// the view's middle.
std::vector<double> view_times(const ClipSpec& spec, const View& view);

// Views that cover the video: each at most max_seconds long, neighbours overlapping by half, evenly placed. More than
// max_views: that many with longer steps between them. A video shorter than max_seconds has one view, all of it, and so
// has any video where max_views is 1.
std::vector<View> cover(double duration, double max_seconds, int max_views);

// A part of the picture in pixels.
struct CropBox {
  int x = 0, y = 0, width = 0, height = 0;
};
CropBox center_crop(const ClipSpec& spec, int height, int width);
// The part of a picture that test clips show: the central square, or, with whole_picture, all of it as far as it is at
// most four times as long as wide.
CropBox test_region(const ClipSpec& spec, int height, int width);
// With whole_picture: the spec whose clips have that region's shape, the short side as trained and the long one a
// multiple of 32 pixels (the total stride of the nets). Without: the spec as it is.
ClipSpec fit(const ClipSpec& spec, int height, int width);

using Random = std::mt19937_64;
// Area and aspect drawn as spec says, up to ten tries, then the largest central box of an allowed aspect.
// Source: slowfast/datasets/transform.py@287ec007, random_resized_crop.
CropBox random_crop(const ClipSpec& spec, int height, int width, Random& random);

// Writes the clip [3,T,height,width] float32: the box of frames[indices], resized bilinearly (half-pixel centres, no
// antialiasing), optionally mirrored, (x/255 - mean) / std. indices.size() == spec.frames, each below frames.count;
// out has spec.clip_size() floats.
void write_clip(const media::Frames& frames, std::span<const int> indices, const CropBox& box, bool mirror,
                const ClipSpec& spec, float* out);

}  // namespace reeltag::model

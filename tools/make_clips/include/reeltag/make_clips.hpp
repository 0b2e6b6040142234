// Generates short synthetic clips with known labels: shapes that move over textures and scenes, with captions,
// hashtags, authors and months. For tests, the demo and the pictures of the docs; free of any licence.
//
// plan() determines every property of every clip, render() paints one, write() creates the folder. All are functions of
// their arguments: the same options give the same bytes. Thread-safe (no shared state). plan() throws Exception
// (invalid_argument) for options that cannot be satisfied; write() throws if a file cannot be written.
//
//   make_clips::write({.set = make_clips::Set::motion, .clips_per_class = 40}, "/tmp/clips");
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/media.hpp"

namespace reeltag::make_clips {

enum class Shape { circle, square, triangle, star, ring, cross, heart, moon, hexagon };
enum class Motion { left, right, up, down, zoom_in, zoom_out, clockwise, counter_clockwise, bounce, still };
enum class Backdrop {
  gradient,
  stripes,
  checks,
  dots,
  noise,
  waves,  // textures
  night,
  sea,
  hills,
  sunset,
  city,
  snow,
  rain,
  meadow  // scenes
};
inline constexpr int kShapes = 9;
inline constexpr int kMotions = 10;
inline constexpr int kTextures = 6;
inline constexpr int kBackdrops = 14;
inline constexpr int kColors = 8;

// motion: classes differ in the motion only. Clip i of every class has the same look and the same first frame, and
// position, size and angle have the same distribution in every frame of every class (see motion.hpp).
// mixed:  a class is a shape with a motion ("fallingstar"); texture or scene, colour and text vary freely.
// appearance: a class is a shape; everything else varies ("look" on the command line).
enum class Set { motion, mixed, appearance };

// labels: in the second half of the period, neighbouring classes have swapped hashtags (the world changed).
// mix:    early months have mostly the first classes, late months mostly the last.
enum class Drift { none, labels, mix };

struct Options {
  Set set = Set::mixed;
  int classes = 0;           // 0: all of the set (motion 10, mixed 12, look 9); mixed goes up to 90
  int clips_per_class = 30;  // with Drift::mix the mean
  double seconds = 2.0;
  int width = 128, height = 128;  // pixels, even
  double fps = 15.0;
  std::uint64_t seed = 1;
  double wrong = 0.0;    // probability that a clip's class hashtag is that of another class
  double missing = 0.0;  // probability, for each true hashtag, that it is omitted
  double generic = 0.0;  // probability that generic hashtags (fyp and its kind) are added
  double text = 0.2;     // probability of text on the frames (never in the motion set)
  Drift drift = Drift::none;
  int months = 6;  // the clips are spread evenly over this many months of 30 days from 2024-01-01
};

// The initial look of a clip. Positions are fractions of the frame, lengths fractions of its short side.
struct Appearance {
  Shape shape = Shape::circle;
  Backdrop backdrop = Backdrop::gradient;
  int color = 0;            // 0 .. kColors-1
  std::uint64_t seed = 0;   // of the backdrop's details
  double x = 0.5, y = 0.5;  // centre
  double radius_low = 0.13, radius_high = 0.30;
  double zoom_phase = 0.5;  // radius = low * (high / low)^phase
  double angle = 0.0;       // radians, clockwise on the screen
  double speed = 1.0;       // about 0.75 to 1.3
  std::string words;        // text on the frames, may be empty
};

struct Clip {
  std::string id;          // 12 hex digits
  std::string class_name;  // the true class; also the folder
  std::string file;        // "<class>/<id>.mp4"
  std::string group;       // shared by clips with one look
  std::string author;
  std::int64_t created = 0;  // seconds since 1970
  std::string caption;
  std::vector<std::string> truth;     // class first
  std::vector<std::string> hashtags;  // truth after the wrong, missing and generic options
  Motion motion = Motion::still;
  Appearance appearance;
};

// Every clip of the options, in the order of the manifest.
std::vector<Clip> plan(const Options& options);

// All frames of one clip.
media::Frames render(const Clip& clip, const Options& options);

// One line of manifest.jsonl, without the line break.
std::string manifest_line(const Clip& clip);

// Plans, renders and encodes all clips below `out` (created if missing) and writes out/manifest.jsonl last. Calls
// done(n, total) after each clip. Returns the number of clips.
int write(const Options& options, const std::filesystem::path& out,
          const std::function<void(int, int)>& done = nullptr);

// Parse the command line's names; throw Exception (invalid_argument) for an unknown one.
Set parse_set(std::string_view name);
Drift parse_drift(std::string_view name);

}  // namespace reeltag::make_clips

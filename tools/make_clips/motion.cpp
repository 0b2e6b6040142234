#include "motion.hpp"

#include <cmath>
#include <numbers>

namespace reeltag::make_clips {
namespace {

// At speed 1. Eight frames over two seconds must show the motion: between two of them a shape moves by about its
// radius, turns by 25 degrees and grows by a tenth.
constexpr double kSlidePerSecond = 0.45;  // frames
constexpr double kZoomPerSecond = 0.5;    // cycles from the smallest to the largest
constexpr double kTurnPerSecond = 100.0 / 180.0 * std::numbers::pi;
constexpr double kBouncesPerSecond = 0.9;
constexpr double kBounceHeight = 0.42;  // frames

double wrap(double v) { return v - std::floor(v); }

}  // namespace

Pose pose_at(const Appearance& appearance, Motion motion, double seconds) {
  const double t = seconds * appearance.speed;
  double x = appearance.x, y = appearance.y, phase = appearance.zoom_phase, angle = appearance.angle;
  switch (motion) {
    case Motion::left:
      x -= kSlidePerSecond * t;
      break;
    case Motion::right:
      x += kSlidePerSecond * t;
      break;
    case Motion::up:
      y -= kSlidePerSecond * t;
      break;
    case Motion::down:
      y += kSlidePerSecond * t;
      break;
    case Motion::zoom_in:
      phase += kZoomPerSecond * t;
      break;
    case Motion::zoom_out:
      phase -= kZoomPerSecond * t;
      break;
    case Motion::clockwise:
      angle += kTurnPerSecond * t;
      break;
    case Motion::counter_clockwise:
      angle -= kTurnPerSecond * t;
      break;
    case Motion::bounce:
      y -= kBounceHeight * std::abs(std::sin(std::numbers::pi * kBouncesPerSecond * t));
      break;
    case Motion::still:
      break;
  }
  const double radius = appearance.radius_low * std::pow(appearance.radius_high / appearance.radius_low, wrap(phase));
  return {wrap(x), wrap(y), radius, angle};
}

}  // namespace reeltag::make_clips

// Computes the position, size and angle of a shape over time. Pure function, thread-safe.
//
// A single frame carries no information about the motion: every moving quantity is cyclic (position wraps around the
// frame, size and angle restart) and starts at a phase uniform over the cycle. A uniform phase plus any function of
// time is again uniform, so in every frame of every class position is uniform over the frame, the logarithm of the size
// over its range and the angle over the circle.
#pragma once

#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

struct Pose {
  double x = 0.0, y = 0.0;  // [0, 1): fraction of the frame, which is a torus for the shape
  double radius = 0.0;      // fraction of the short side
  double angle = 0.0;       // radians, clockwise on the screen
};

Pose pose_at(const Appearance& appearance, Motion motion, double seconds);

}  // namespace reeltag::make_clips

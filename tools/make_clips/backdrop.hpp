// What the shape moves over: a still picture, painted once a clip, and for some scenes something that moves on top.
// One thread.
#pragma once

#include "canvas.hpp"
#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

// The shape's colour, 0 <= color < kColors.
Rgb shape_color(int color);

// The still part, the size of the canvas.
void paint_backdrop(Canvas& canvas, const Appearance& appearance);

// What moves at this time (snow, rain, waves, twinkling stars); nothing for the others.
void paint_weather(Canvas& canvas, const Appearance& appearance, double seconds);

}  // namespace reeltag::make_clips

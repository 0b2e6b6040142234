// Paints the background of a clip: a still picture, once per clip, and for some scenes moving elements on top.
// Functions; one thread per canvas. No failures.
#pragma once

#include "canvas.hpp"
#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

// The shape's colour, 0 <= color < kColors.
Rgb shape_color(int color);

// Paints the still part over the whole canvas.
void paint_backdrop(Canvas& canvas, const Appearance& appearance);

// Paints the moving elements at this time (snow, rain, waves, twinkling stars); nothing for other scenes.
void paint_weather(Canvas& canvas, const Appearance& appearance, double seconds);

}  // namespace reeltag::make_clips

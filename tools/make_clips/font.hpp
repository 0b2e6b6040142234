// Paints text on frames in a 5 x 7 bitmap font of capitals, digits and some punctuation. Thread-safe. No failures.
#pragma once

#include <string_view>

#include "canvas.hpp"

namespace reeltag::make_clips {

// White text on a dark band, centred, `at` = 0 top .. 1 bottom. Characters missing from the font become blanks. Scaled
// to at most nine tenths of the width and a tenth of the short side.
void paint_words(Canvas& canvas, std::string_view words, double at);

}  // namespace reeltag::make_clips

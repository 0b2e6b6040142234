// Words on frames in a 5 x 7 bitmap font of capitals, digits and a little punctuation. Thread-safe.
#pragma once

#include <string_view>

#include "canvas.hpp"

namespace reeltag::make_clips {

// White words on a dark band, centred, `at` = 0 top .. 1 bottom. Characters that the font lacks are blanks.
// As large as fits nine tenths of the width, at most a tenth of the short side high.
void paint_words(Canvas& canvas, std::string_view words, double at);

}  // namespace reeltag::make_clips

// Converts a video's frames to the image encoder's input. Private. A function, any thread.
#pragma once

#include <cstdint>
#include <span>

namespace reeltag::model {

// Writes the picture [3,224,224] of an RGB frame [height,width,3], scaled as the image encoder expects. Sizes follow
// torchvision's Resize(224) and CenterCrop(224), with which the package's nets are evaluated on ImageNet: the short
// side is scaled to 224 (bicubic, antialiased; overshoot is clamped to [0,255]) unless it has that length, then the
// central square is taken.
void write_picture(std::span<const std::uint8_t> frame, int height, int width, std::span<float> picture);

}  // namespace reeltag::model

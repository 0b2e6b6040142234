// Converts a video's frames to the image encoder's input. Private. A function, any thread; throws c10::Error.
#pragma once

#include <torch/torch.h>

#include "reeltag/media.hpp"

namespace reeltag::model {

// Converts frames [first, first+count) to float32 [count,3,224,224], channels last, scaled as the image encoder
// expects. Sizes follow torchvision's Resize(224) and CenterCrop(224), with which the package's nets are evaluated on
// ImageNet; bicubic overshoot is clamped to [0,255].
at::Tensor pictures(const media::Frames& frames, int first, int count);

}  // namespace reeltag::model

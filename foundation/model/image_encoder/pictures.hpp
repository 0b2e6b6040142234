// From a video's frames to the pictures that the image encoder reads. Private. A function; any thread.
#pragma once

#include <torch/torch.h>

#include "reeltag/media.hpp"

namespace reeltag::model {

// Frames [first, first+count) as float32 [count,3,224,224], channels last, scaled as the image encoder wants.
// The sizes are those of torchvision's Resize(224) and CenterCrop(224), which evaluate the package's nets on ImageNet;
// what bicubic overshoots is cut to [0,255].
at::Tensor pictures(const media::Frames& frames, int first, int count);

}  // namespace reeltag::model

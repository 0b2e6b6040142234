// Depthwise 3-D convolution straight on token layout, CPU float32: tokens are read where the projection left them and
// the channels of a head fill the vector registers, instead of copying to [B*h,d,T,H,W] first.
// One (sample, head) slice a call; no state, so slices may run on different threads.
#pragma once

#include <cstdint>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

struct DepthwiseShape {
  Triple grid_in{}, grid_out{};
  Pooling pooling;
  std::int64_t channels = 0;  // of one head

  [[nodiscard]] std::int64_t taps() const {
    return static_cast<std::int64_t>(pooling.kernel[0]) * pooling.kernel[1] * pooling.kernel[2];
  }
};

// Patch tokens only: in and out point behind the class token. Token i starts at in + i*in_stride (floats).
// weight is [taps, channels], taps in t,h,w order.
void depthwise_forward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                       float* out, std::int64_t out_stride);

// Adds into grad_in and grad_weight ([taps, channels]); the caller zeroes them.
void depthwise_backward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                        const float* grad_out, std::int64_t out_stride, float* grad_in, std::int64_t grad_in_stride,
                        float* grad_weight);

}  // namespace reeltag::model

// Depthwise 3-D convolution directly on token layout, CPU float32: reads tokens in place and vectorises over the
// channels of a head, instead of copying to [B*h,d,T,H,W] first. Private.
// Processes one (sample, head) slice per call. Stateless, so slices may run on different threads. Callers own all
// buffers.
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

// in and out point to the first patch token, after the class token. Token i starts at in + i*in_stride (floats). weight
// is [taps, channels], taps in t,h,w order.
void depthwise_forward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                       float* out, std::int64_t out_stride);

// Accumulates into grad_in and grad_weight ([taps, channels]); the caller zeroes them.
void depthwise_backward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                        const float* grad_out, std::int64_t out_stride, float* grad_in, std::int64_t grad_in_stride,
                        float* grad_weight);

}  // namespace reeltag::model

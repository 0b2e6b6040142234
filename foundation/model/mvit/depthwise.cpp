#include "depthwise.hpp"

#include <algorithm>

// The inner loops are compiled twice, for AVX2+FMA and for any x86-64; the dynamic loader selects one.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define REELTAG_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define REELTAG_VECTOR_CLONES
#endif
#define REELTAG_INLINE inline __attribute__((always_inline))

namespace reeltag::model {
namespace {

// The taps of one axis that fall inside the input for one output position.
struct TapRange {
  int first_tap, last_tap;  // [first, last)
  int first_position;       // input position of first_tap
};

REELTAG_INLINE TapRange tap_range(int out_position, int kernel, int stride, int size) {
  const int start = out_position * stride - kernel / 2;
  const int first = std::max(0, -start);
  const int last = std::min(kernel, size - start);
  return {first, std::max(first, last), start + first};
}

// Calls use(tap, input token) for each tap of the output token (t,y,x) that lies inside the grid.
template <class Use>
REELTAG_INLINE void each_tap(const DepthwiseShape& s, const TapRange& rt, const TapRange& rh, const TapRange& rw,
                             const Use& use) {
  const int kh = s.pooling.kernel[1], kw = s.pooling.kernel[2];
  for (int a = rt.first_tap; a < rt.last_tap; ++a) {
    const std::int64_t plane = static_cast<std::int64_t>(rt.first_position + a - rt.first_tap) * s.grid_in[1];
    for (int b = rh.first_tap; b < rh.last_tap; ++b) {
      const std::int64_t row = (plane + rh.first_position + b - rh.first_tap) * s.grid_in[2];
      const std::int64_t tap = (static_cast<std::int64_t>(a) * kh + b) * kw;
      for (int c = rw.first_tap; c < rw.last_tap; ++c) use(tap + c, row + rw.first_position + c - rw.first_tap);
    }
  }
}

template <class Visit>
REELTAG_INLINE void each_output(const DepthwiseShape& s, const Visit& visit) {
  const auto& k = s.pooling.kernel;
  const auto& st = s.pooling.stride;
  std::int64_t token = 0;
  for (int t = 0; t < s.grid_out[0]; ++t) {
    const TapRange rt = tap_range(t, k[0], st[0], s.grid_in[0]);
    for (int y = 0; y < s.grid_out[1]; ++y) {
      const TapRange rh = tap_range(y, k[1], st[1], s.grid_in[1]);
      for (int x = 0; x < s.grid_out[2]; ++x, ++token) {
        visit(token, rt, rh, tap_range(x, k[2], st[2], s.grid_in[2]));
      }
    }
  }
}

template <int kWidth>
REELTAG_INLINE void forward_channels(const DepthwiseShape& s, std::int64_t c0, const float* in, std::int64_t in_stride,
                                     const float* weight, float* out, std::int64_t out_stride) {
  each_output(s, [&](std::int64_t token, const TapRange& rt, const TapRange& rh, const TapRange& rw) {
    float sum[kWidth] = {};
    each_tap(s, rt, rh, rw, [&](std::int64_t tap, std::int64_t source) {
      const float* x = in + source * in_stride + c0;
      const float* w = weight + tap * s.channels + c0;
      for (int i = 0; i < kWidth; ++i) sum[i] += x[i] * w[i];
    });
    float* y = out + token * out_stride + c0;
    for (int i = 0; i < kWidth; ++i) y[i] = sum[i];
  });
}

template <int kWidth>
REELTAG_INLINE void backward_channels(const DepthwiseShape& s, std::int64_t c0, const float* in, std::int64_t in_stride,
                                      const float* weight, const float* grad_out, std::int64_t out_stride,
                                      float* grad_in, std::int64_t grad_in_stride, float* grad_weight) {
  each_output(s, [&](std::int64_t token, const TapRange& rt, const TapRange& rh, const TapRange& rw) {
    float g[kWidth];
    for (int i = 0; i < kWidth; ++i) g[i] = grad_out[token * out_stride + c0 + i];
    each_tap(s, rt, rh, rw, [&](std::int64_t tap, std::int64_t source) {
      const float* x = in + source * in_stride + c0;
      const float* w = weight + tap * s.channels + c0;
      float* gx = grad_in + source * grad_in_stride + c0;
      float* gw = grad_weight + tap * s.channels + c0;
      for (int i = 0; i < kWidth; ++i) {
        gx[i] += g[i] * w[i];
        gw[i] += g[i] * x[i];
      }
    });
  });
}

}  // namespace

REELTAG_VECTOR_CLONES
void depthwise_forward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                       float* out, std::int64_t out_stride) {
  std::int64_t c = 0;
  for (; c + 32 <= shape.channels; c += 32) forward_channels<32>(shape, c, in, in_stride, weight, out, out_stride);
  for (; c + 8 <= shape.channels; c += 8) forward_channels<8>(shape, c, in, in_stride, weight, out, out_stride);
  for (; c < shape.channels; ++c) forward_channels<1>(shape, c, in, in_stride, weight, out, out_stride);
}

REELTAG_VECTOR_CLONES
void depthwise_backward(const DepthwiseShape& shape, const float* in, std::int64_t in_stride, const float* weight,
                        const float* grad_out, std::int64_t out_stride, float* grad_in, std::int64_t grad_in_stride,
                        float* grad_weight) {
  std::int64_t c = 0;
  for (; c + 16 <= shape.channels; c += 16) {
    backward_channels<16>(shape, c, in, in_stride, weight, grad_out, out_stride, grad_in, grad_in_stride, grad_weight);
  }
  for (; c + 8 <= shape.channels; c += 8) {
    backward_channels<8>(shape, c, in, in_stride, weight, grad_out, out_stride, grad_in, grad_in_stride, grad_weight);
  }
  for (; c < shape.channels; ++c) {
    backward_channels<1>(shape, c, in, in_stride, weight, grad_out, out_stride, grad_in, grad_in_stride, grad_weight);
  }
}

}  // namespace reeltag::model

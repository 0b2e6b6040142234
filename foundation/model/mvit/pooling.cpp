#include "pooling.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>

#include "depthwise.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

std::int64_t volume(const Triple& g) { return static_cast<std::int64_t>(g[0]) * g[1] * g[2]; }
std::vector<std::int64_t> sizes(const Triple& t) { return {t[0], t[1], t[2]}; }
std::vector<std::int64_t> padding(const Pooling& p) { return {p.kernel[0] / 2, p.kernel[1] / 2, p.kernel[2] / 2}; }

DepthwiseShape depthwise_shape(const Pooling& pooling, const Triple& grid, std::int64_t channels) {
  return {.grid_in = grid, .grid_out = pooled_grid(grid, pooling), .pooling = pooling, .channels = channels};
}

// [d,1,kt,kh,kw] -> [taps,d]
Tensor taps_first(const Tensor& weight) { return weight.flatten(1).t().contiguous(); }

struct Slices {
  DepthwiseShape shape;
  std::int64_t batch, heads, cls;

  // Calls run(sample, head) for each, in parallel where there is more than one thread.
  template <class Run>
  void each(const Run& run) const {
    at::parallel_for(0, batch * heads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run(i / heads, i % heads);
    });
  }
};

class DepthwisePool : public torch::autograd::Function<DepthwisePool> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& tokens, const Tensor& weight,
                        const DepthwiseShape& shape, std::int64_t cls) {
    const std::int64_t batch = tokens.size(0), heads = tokens.size(2), d = shape.channels;
    const Slices slices{shape, batch, heads, cls};
    const Tensor taps = taps_first(weight);
    Tensor out = torch::empty({batch, heads, volume(shape.grid_out) + cls, d}, tokens.options());
    const auto stride = tokens.strides();
    const float* in = tokens.const_data_ptr<float>();
    float* result = out.mutable_data_ptr<float>();
    const std::int64_t out_rows = out.size(2);
    slices.each([&](std::int64_t b, std::int64_t h) {
      const float* x = in + b * stride[0] + h * stride[2];
      float* y = result + (b * heads + h) * out_rows * d;
      if (cls != 0) std::memcpy(y, x, static_cast<std::size_t>(d) * sizeof(float));
      depthwise_forward(shape, x + cls * stride[1], stride[1], taps.const_data_ptr<float>(), y + cls * d, d);
    });
    ctx->save_for_backward({tokens, weight});
    ctx->saved_data["grid"] = sizes(shape.grid_in);
    ctx->saved_data["kernel"] = sizes(shape.pooling.kernel);
    ctx->saved_data["stride"] = sizes(shape.pooling.stride);
    ctx->saved_data["cls"] = cls;
    return out;
  }

  static std::vector<Tensor> backward(torch::autograd::AutogradContext* ctx, std::vector<Tensor> grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &tokens = saved[0], &weight = saved[1];
    const auto triple = [&](const char* name) {
      const auto v = ctx->saved_data[name].toIntVector();
      return Triple{static_cast<int>(v[0]), static_cast<int>(v[1]), static_cast<int>(v[2])};
    };
    const Pooling pooling{triple("kernel"), triple("stride")};
    const auto shape = depthwise_shape(pooling, triple("grid"), tokens.size(3));
    const std::int64_t cls = ctx->saved_data["cls"].toInt();
    const std::int64_t batch = tokens.size(0), heads = tokens.size(2), d = shape.channels;
    const Slices slices{shape, batch, heads, cls};
    const Tensor grad_out = grads[0].contiguous();
    const Tensor taps = taps_first(weight);
    Tensor grad_in = torch::zeros({batch, tokens.size(1), heads, d}, tokens.options());
    Tensor grad_taps =
        torch::zeros({batch * heads, shape.taps(), d}, tokens.options());  // a slice each: no race, fixed order
    const auto stride = tokens.strides();
    const float* in = tokens.const_data_ptr<float>();
    const std::int64_t out_rows = grad_out.size(2), in_stride = heads * d;
    slices.each([&](std::int64_t b, std::int64_t h) {
      const float* g = grad_out.const_data_ptr<float>() + (b * heads + h) * out_rows * d;
      float* gx = grad_in.mutable_data_ptr<float>() + b * tokens.size(1) * in_stride + h * d;
      if (cls != 0) std::memcpy(gx, g, static_cast<std::size_t>(d) * sizeof(float));
      depthwise_backward(shape, in + b * stride[0] + h * stride[2] + cls * stride[1], stride[1],
                         taps.const_data_ptr<float>(), g + cls * d, d, gx + cls * in_stride, in_stride,
                         grad_taps.mutable_data_ptr<float>() + (b * heads + h) * shape.taps() * d);
    });
    const Tensor grad_weight = grad_taps.sum(0).t().contiguous().view(weight.sizes());
    return {grad_in, grad_weight, Tensor(), Tensor()};
  }
};

bool use_reference() {
  static const bool reference = [] {
    const char* ops = std::getenv("REELTAG_OPS");
    return ops != nullptr && std::string_view(ops) == "reference";
  }();
  return reference;
}

// [B,h,N,d] with or without a class token in row 0: pools the rest by op, which maps [B*h,d,T,H,W] likewise.
template <class Op>
Tensor pool_rest(const Tensor& x, const Triple& grid, bool class_token, const Op& op) {
  const std::int64_t batch = x.size(0), heads = x.size(1), d = x.size(3);
  const Tensor patches = class_token ? x.narrow(2, 1, x.size(2) - 1) : x;
  Tensor volume_first = patches.reshape({batch * heads, grid[0], grid[1], grid[2], d}).permute({0, 4, 1, 2, 3});
  Tensor pooled = op(volume_first.contiguous());                   // [B*h,d,T',H',W']
  pooled = pooled.reshape({batch, heads, d, -1}).transpose(2, 3);  // [B,h,N',d]
  if (class_token) pooled = torch::cat({x.narrow(2, 0, 1), pooled}, 2);
  return pooled.contiguous();
}

}  // namespace

Tensor pool_tokens_reference(const Tensor& tokens, const std::string& mode, const Tensor& weight,
                             const Pooling& pooling, const Triple& grid, bool class_token) {
  const auto kernel = sizes(pooling.kernel), stride = sizes(pooling.stride), pad = padding(pooling);
  return pool_rest(tokens.transpose(1, 2), grid, class_token, [&](const Tensor& x) {
    if (mode.starts_with("conv")) return torch::conv3d(x, weight, {}, stride, pad, 1, x.size(1));
    if (mode == "avg") return torch::avg_pool3d(x, kernel, stride, pad, false, true);
    return torch::max_pool3d(x, kernel, stride, pad);
  });
}

Tensor pool_tokens(const Tensor& tokens, const std::string& mode, const Tensor& weight, const Pooling& pooling,
                   const Triple& grid, bool class_token) {
  const bool fast = mode.starts_with("conv") && tokens.is_cpu() && tokens.scalar_type() == torch::kFloat &&
                    weight.scalar_type() == torch::kFloat && tokens.stride(3) == 1 && !use_reference();
  if (!fast) return pool_tokens_reference(tokens, mode, weight, pooling, grid, class_token);
  TORCH_CHECK(tokens.size(1) == volume(grid) + (class_token ? 1 : 0), "pool_tokens: ", tokens.size(1),
              " tokens do not fill the grid ", grid[0], "x", grid[1], "x", grid[2]);
  return DepthwisePool::apply(tokens, weight, depthwise_shape(pooling, grid, tokens.size(3)),
                              static_cast<std::int64_t>(class_token ? 1 : 0));
}

Tensor pool_skip(const Tensor& x, const Pooling& pooling, const Triple& grid, bool class_token) {
  return pool_rest(x.unsqueeze(1), grid, class_token,
                   [&](const Tensor& v) {
                     return torch::max_pool3d(v, sizes(pooling.kernel), sizes(pooling.stride), padding(pooling));
                   })
      .squeeze(1);
}

}  // namespace reeltag::model

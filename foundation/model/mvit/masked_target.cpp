#include "masked_target.hpp"

#include <numbers>

namespace reeltag::model {

using torch::Tensor;

namespace {

constexpr std::int64_t kOrientations = 9, kCell = 8;  // cell side in pixels

// [B,3,T,H,W]; an image is a clip of one frame.
Tensor as_clip(const Tensor& clips) { return clips.dim() == 4 ? clips.unsqueeze(2) : clips; }

Tensor every_nth_frame(const Tensor& clips, const Plan& plan) {
  const auto& stride = plan.recipe.mvit.patch_stride;
  return stride.size() == 3 ? clips.slice(2, 0, std::nullopt, stride[0]) : clips;
}

// Pictures [N,3,H,W] -> [N,3,9,H/8,W/8].
Tensor histograms(const Tensor& pictures) {
  const std::int64_t n = pictures.size(0), h = pictures.size(2), w = pictures.size(3);
  const Tensor x = torch::tensor({{1.0F, 0.0F, -1.0F}, {2.0F, 0.0F, -2.0F}, {1.0F, 0.0F, -1.0F}});
  const auto gradient = [&](const Tensor& kernel) {
    const Tensor weight = kernel.to(pictures.options()).expand({3, 1, 3, 3});
    return torch::conv2d(torch::reflection_pad2d(pictures, {1, 1, 1, 1}), weight, {}, 1, torch::IntArrayRef{0}, 1, 3);
  };
  const Tensor gx = gradient(x), gy = gradient(x.t());
  const Tensor magnitude = (gx.square() + gy.square()).sqrt();
  const Tensor phase = torch::atan2(gx, gy) / std::numbers::pi * static_cast<double>(kOrientations);
  const Tensor bin = phase.floor().to(torch::kInt64).remainder(kOrientations);
  Tensor votes = torch::zeros({n, 3, kOrientations, h, w}, pictures.options());
  votes = votes.scatter_add(2, bin.unsqueeze(2), magnitude.unsqueeze(2));
  const Tensor cells = votes.reshape({n, 3, kOrientations, h / kCell, kCell, w / kCell, kCell}).sum({4, 6});
  return cells / cells.norm(2, {2}, true).clamp_min(1e-12);
}

}  // namespace

Tensor hog_targets(const Tensor& clips, const Plan& plan, const Triple& grid) {
  const Tensor frames = every_nth_frame(as_clip(clips), plan);  // [B,3,T,H,W]
  const std::int64_t batch = frames.size(0), time = frames.size(2);
  Tensor cells = histograms(frames.transpose(1, 2).flatten(0, 1)).flatten(1, 2);  // [B*T,27,H/8,W/8]
  const std::int64_t down = cells.size(2) / grid[1], across = cells.size(3) / grid[2];
  cells = cells.permute({0, 2, 3, 1}).unfold(1, down, down).unfold(2, across, across);  // [B*T,h,w,27,down,across]
  return cells.flatten(3).reshape({batch, time * grid[1] * grid[2], -1});
}

Tensor pixel_targets(const Tensor& clips, const Plan& plan) {
  const bool strided = plan.recipe.mask.time_stride_loss;
  const Tensor frames = strided ? every_nth_frame(as_clip(clips), plan) : as_clip(clips);
  const Triple& g = plan.grid;
  const std::int64_t batch = frames.size(0), depth = frames.size(2) / g[0];
  const std::int64_t rows = frames.size(3) / g[1], columns = frames.size(4) / g[2];
  Tensor patches = frames.reshape({batch, frames.size(1), g[0], depth, g[1], rows, g[2], columns})
                       .permute({0, 2, 4, 6, 3, 5, 7, 1})
                       .reshape({batch, static_cast<std::int64_t>(g[0]) * g[1] * g[2], -1});
  if (!plan.recipe.mask.norm_pred_pixel) return patches;
  return (patches - patches.mean(-1, true)) / (patches.var(-1, /*unbiased=*/true, true) + 1e-6).sqrt();
}

}  // namespace reeltag::model

#include "positions.hpp"

#include <cmath>

namespace reeltag::model {

using torch::Tensor;

namespace {
// Positions of one axis, [n, width]: sin of all frequencies, then cos; float64.
Tensor sincos_axis(const Tensor& position, int width) {
  const auto k = torch::arange(width / 2, torch::kDouble) / (width / 2.0);
  const Tensor angle = torch::outer(position, torch::pow(10000.0, -k));
  return torch::cat({angle.sin(), angle.cos()}, 1);
}
}  // namespace

Tensor sincos_positions(int width, const Triple& grid, bool class_token) {
  const std::int64_t t = grid[0], h = grid[1], w = grid[2];
  const int temporal = width / 4, axis = width * 3 / 8;
  const auto column = torch::arange(w, torch::kDouble).repeat({h});
  const auto row = torch::arange(h, torch::kDouble).repeat_interleave(w);
  // The column half comes first, contrary to upstream's variable names.
  const Tensor spatial = torch::cat({sincos_axis(column, axis), sincos_axis(row, axis)}, 1);  // [h*w, 3D/4]
  const Tensor time = sincos_axis(torch::arange(t, torch::kDouble), temporal);                // [t, D/4]
  Tensor table =
      torch::cat({time.unsqueeze(1).expand({t, h * w, temporal}), spatial.unsqueeze(0).expand({t, h * w, 2 * axis})}, 2)
          .reshape({t * h * w, width});
  if (class_token) table = torch::cat({torch::zeros({1, width}, torch::kDouble), table}, 0);
  return table.to(torch::kFloat).unsqueeze(0);
}

Tensor separate_positions(Tensor spatial, Tensor temporal, const Triple& trained, const Triple& g) {
  const std::int64_t width = spatial.size(2), t = g[0], h = g[1], w = g[2];
  if (trained[1] != g[1] || trained[2] != g[2]) {
    const Tensor map = spatial.reshape({1, trained[1], trained[2], width}).permute({0, 3, 1, 2});
    spatial = torch::upsample_bicubic2d(map, {h, w}, /*align_corners=*/false).flatten(2).transpose(1, 2);
  }
  if (trained[0] != g[0])
    temporal = torch::upsample_linear1d(temporal.transpose(1, 2), {t}, /*align_corners=*/false).transpose(1, 2);
  return spatial.repeat({1, t, 1}) + temporal.repeat_interleave(h * w, 1);
}

Tensor joint_positions(const Tensor& table, const Triple& trained, const Triple& g, bool class_token) {
  const std::int64_t cls = class_token ? 1 : 0, width = table.size(2);
  const Tensor volume = table.narrow(1, cls, table.size(1) - cls)
                            .reshape({1, trained[0], trained[1], trained[2], width})
                            .permute({0, 4, 1, 2, 3});
  Tensor positions = torch::upsample_trilinear3d(volume, {g[0], g[1], g[2]}, /*align_corners=*/false);
  positions = positions.flatten(2).transpose(1, 2);
  return class_token ? torch::cat({table.narrow(1, 0, 1), positions}, 1) : positions;
}

}  // namespace reeltag::model

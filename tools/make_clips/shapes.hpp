// Shapes as signed distance fields. Thread-safe. No failures.
#pragma once

#include <vector>

#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

// Signed distance to the outline of a shape of radius 1 around the origin (y down): negative inside. Sampled once on a
// grid, since painting reads it at every pixel of every frame.
class ShapeField {
 public:
  explicit ShapeField(Shape shape);
  // A positive distance outside the grid (|x| or |y| above kReach).
  [[nodiscard]] float at(double x, double y) const;
  static constexpr double kReach = 1.5;

 private:
  std::vector<float> grid_;
};

// The field of a shape; all are computed at the first call and live as long as the program.
const ShapeField& field_of(Shape shape);

}  // namespace reeltag::make_clips

#include "shapes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace reeltag::make_clips {
namespace {

constexpr int kSide = 160;  // grid points per axis: finer than one pixel for shapes up to 53 pixels of radius
constexpr double kPi = std::numbers::pi;

struct Point {
  double x, y;
};
using Polygon = std::vector<Point>;

Polygon regular(int corners, double first_angle, double radius) {
  Polygon p;
  for (int i = 0; i < corners; ++i) {
    const double a = first_angle + 2.0 * kPi * i / corners;
    p.push_back({radius * std::cos(a), radius * std::sin(a)});
  }
  return p;
}

Polygon star() {
  Polygon p;
  for (int i = 0; i < 10; ++i) {
    const double a = -kPi / 2 + kPi * i / 5, r = i % 2 == 0 ? 1.12 : 0.5;
    p.push_back({r * std::cos(a), r * std::sin(a)});
  }
  return p;
}

Polygon cross() {
  constexpr double kLong = 0.98, kThin = 0.36;
  return {{-kThin, -kLong}, {kThin, -kLong}, {kThin, -kThin}, {kLong, -kThin}, {kLong, kThin},   {kThin, kThin},
          {kThin, kLong},   {-kThin, kLong}, {-kThin, kThin}, {-kLong, kThin}, {-kLong, -kThin}, {-kThin, -kThin}};
}

// The common heart curve x = 16 sin^3, y = 13 cos - 5 cos 2 - 2 cos 3 - cos 4, scaled to about radius 1.
Polygon heart() {
  Polygon p;
  for (int i = 0; i < 40; ++i) {
    const double a = 2.0 * kPi * i / 40, s = std::sin(a);
    const double y = 13 * std::cos(a) - 5 * std::cos(2 * a) - 2 * std::cos(3 * a) - std::cos(4 * a);
    p.push_back({16 * s * s * s / 16.0, -(y + 2.5) / 15.5});
  }
  return p;
}

double distance(const Polygon& polygon, double x, double y) {
  double nearest = std::numeric_limits<double>::max();
  bool inside = false;
  for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const Point a = polygon[i], b = polygon[j];
    const double ex = b.x - a.x, ey = b.y - a.y, px = x - a.x, py = y - a.y;
    const double along = std::clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0);
    nearest = std::min(nearest, std::hypot(px - ex * along, py - ey * along));
    if ((a.y > y) != (b.y > y) && x < a.x + ex * (y - a.y) / ey) inside = !inside;
  }
  return inside ? -nearest : nearest;
}

double distance(Shape shape, double x, double y) {
  static const Polygon square = regular(4, kPi / 4, 1.16), triangle = regular(3, -kPi / 2, 1.15),
                       hexagon = regular(6, 0.0, 1.0), five_points = star(), four_arms = cross(), two_bows = heart();
  const double from_center = std::hypot(x, y);
  switch (shape) {
    case Shape::circle:
      return from_center - 0.92;
    case Shape::ring:
      return std::abs(from_center - 0.74) - 0.22;
    case Shape::moon:
      return std::max(from_center - 1.0, 0.82 - std::hypot(x - 0.45, y));
    case Shape::square:
      return distance(square, x, y);
    case Shape::triangle:
      return distance(triangle, x, y);
    case Shape::hexagon:
      return distance(hexagon, x, y);
    case Shape::star:
      return distance(five_points, x, y);
    case Shape::cross:
      return distance(four_arms, x, y);
    case Shape::heart:
      return distance(two_bows, x, y);
  }
  return 1.0;
}

}  // namespace

ShapeField::ShapeField(Shape shape) : grid_(static_cast<std::size_t>(kSide) * kSide) {
  for (int j = 0; j < kSide; ++j) {
    for (int i = 0; i < kSide; ++i) {
      const double x = kReach * (2.0 * i / (kSide - 1) - 1.0), y = kReach * (2.0 * j / (kSide - 1) - 1.0);
      grid_[static_cast<std::size_t>(j) * kSide + static_cast<std::size_t>(i)] =
          static_cast<float>(distance(shape, x, y));
    }
  }
}

float ShapeField::at(double x, double y) const {
  const double gx = (x / kReach + 1.0) * 0.5 * (kSide - 1), gy = (y / kReach + 1.0) * 0.5 * (kSide - 1);
  if (!(gx >= 0.0 && gy >= 0.0 && gx < kSide - 1 && gy < kSide - 1)) return 1.0F;
  const auto i = static_cast<std::size_t>(gx), j = static_cast<std::size_t>(gy);
  const auto fx = static_cast<float>(gx - static_cast<double>(i)), fy = static_cast<float>(gy - static_cast<double>(j));
  const float* row = grid_.data() + j * kSide + i;
  const float top = row[0] + (row[1] - row[0]) * fx, low = row[kSide] + (row[kSide + 1] - row[kSide]) * fx;
  return top + (low - top) * fy;
}

const ShapeField& field_of(Shape shape) {
  static const std::vector<ShapeField> all = [] {
    std::vector<ShapeField> fields;
    for (int i = 0; i < kShapes; ++i) fields.emplace_back(static_cast<Shape>(i));
    return fields;
  }();
  return all[static_cast<std::size_t>(shape)];
}

}  // namespace reeltag::make_clips

// An RGB picture with basic painting operations. One thread; owns its pixels; no failures.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace reeltag::make_clips {

struct Rgb {
  double r = 0, g = 0, b = 0;  // 0 .. 255
};

inline Rgb blend(const Rgb& from, const Rgb& to, double amount) {
  const double a = std::clamp(amount, 0.0, 1.0);
  return {from.r + (to.r - from.r) * a, from.g + (to.g - from.g) * a, from.b + (to.b - from.b) * a};
}
inline double smooth(double low, double high, double v) {
  const double x = std::clamp((v - low) / (high - low), 0.0, 1.0);
  return x * x * (3.0 - 2.0 * x);
}

class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height), data_(static_cast<std::size_t>(width) * height * 3) {}

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] double unit() const { return std::min(width_, height_); }  // pixels of the short side
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return data_; }

  void set(int x, int y, const Rgb& c) {
    auto* p = at(x, y);
    p[0] = quantize(c.r), p[1] = quantize(c.g), p[2] = quantize(c.b);
  }
  // Pixels outside the picture are ignored.
  void mix(int x, int y, const Rgb& c, double amount) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_ || amount <= 0.0) return;
    auto* p = at(x, y);
    const Rgb under{static_cast<double>(p[0]), static_cast<double>(p[1]), static_cast<double>(p[2])};
    set(x, y, blend(under, c, amount));
  }
  // A disc with a soft edge of one pixel; centre and radius in pixels.
  void disc(double cx, double cy, double radius, const Rgb& c, double amount) {
    const int x1 = static_cast<int>(std::ceil(cx + radius)), y1 = static_cast<int>(std::ceil(cy + radius));
    for (int y = static_cast<int>(std::floor(cy - radius)); y <= y1; ++y) {
      for (int x = static_cast<int>(std::floor(cx - radius)); x <= x1; ++x) {
        const double inside = radius + 0.5 - std::hypot(x + 0.5 - cx, y + 0.5 - cy);
        mix(x, y, c, amount * std::clamp(inside, 0.0, 1.0));
      }
    }
  }

 private:
  static std::uint8_t quantize(double v) { return static_cast<std::uint8_t>(std::clamp(v + 0.5, 0.0, 255.0)); }
  std::uint8_t* at(int x, int y) {
    return data_.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + x) * 3;
  }

  int width_, height_;
  std::vector<std::uint8_t> data_;
};

}  // namespace reeltag::make_clips

#include "backdrop.hpp"

#include <array>
#include <numbers>

#include "random.hpp"

namespace reeltag::make_clips {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::array<Rgb, kColors> kShapeColors{{{230, 57, 70},
                                                 {247, 127, 20},
                                                 {255, 209, 63},
                                                 {46, 174, 96},
                                                 {32, 190, 196},
                                                 {52, 110, 240},
                                                 {142, 68, 214},
                                                 {255, 110, 178}}};

struct Pair {
  Rgb a, b;
};
constexpr std::array<Pair, 10> kPairs{{{{24, 32, 64}, {48, 62, 112}},
                                       {{52, 60, 72}, {84, 95, 110}},
                                       {{240, 228, 204}, {214, 192, 154}},
                                       {{212, 236, 222}, {164, 208, 186}},
                                       {{228, 218, 244}, {190, 172, 222}},
                                       {{30, 30, 34}, {62, 62, 70}},
                                       {{204, 228, 248}, {152, 196, 234}},
                                       {{20, 52, 42}, {40, 92, 70}},
                                       {{66, 20, 38}, {112, 40, 62}},
                                       {{250, 224, 216}, {236, 178, 164}}}};

double difference(const Rgb& a, const Rgb& b) {  // weights: luminance of each channel
  return std::sqrt(2 * (a.r - b.r) * (a.r - b.r) + 4 * (a.g - b.g) * (a.g - b.g) + 3 * (a.b - b.b) * (a.b - b.b));
}

// Two colours with contrast to the shape.
Pair texture_colors(const Appearance& appearance, Random& random) {
  const Rgb shape = shape_color(appearance.color);
  Pair best = kPairs[0];
  double best_difference = -1.0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const Pair p = kPairs[static_cast<std::size_t>(random.below(static_cast<int>(kPairs.size())))];
    const double d = std::min(difference(shape, p.a), difference(shape, p.b));
    if (d > best_difference) best = p, best_difference = d;
    if (d > 280.0) break;
  }
  return best;
}

// Smooth noise in [0, 1): random values on a lattice, blended, three octaves.
double noise(std::uint64_t seed, double x, double y) {
  double sum = 0.0, weight = 0.5;
  for (std::uint64_t octave = 0; octave < 3; ++octave, weight *= 0.5, x *= 2.0, y *= 2.0) {
    const double fx = std::floor(x), fy = std::floor(y);
    const auto value = [&](double i, double j) {
      return Random({seed, octave, static_cast<std::uint64_t>(static_cast<std::int64_t>(i)),
                     static_cast<std::uint64_t>(static_cast<std::int64_t>(j))})
          .real();
    };
    const double u = smooth(0, 1, x - fx), v = smooth(0, 1, y - fy);
    const double top = value(fx, fy) * (1 - u) + value(fx + 1, fy) * u;
    const double low = value(fx, fy + 1) * (1 - u) + value(fx + 1, fy + 1) * u;
    sum += weight * (top * (1 - v) + low * v);
  }
  return sum / 0.875;
}

// Share of the second colour at a point of a texture; coordinates in units of the short side.
class Texture {
 public:
  Texture(Backdrop kind, std::uint64_t seed, double pixel, Random& random)
      : kind_(kind),
        seed_(seed),
        soft_(pixel),
        angle_(random.real(0, kPi)),
        period_(random.real(0.16, 0.26)),
        dx_(random.real(0, 9)),
        dy_(random.real(0, 9)) {}

  [[nodiscard]] double at(double x, double y) const {
    const double c = std::cos(angle_), s = std::sin(angle_);
    const double u = x * c + y * s + dx_, v = -x * s + y * c + dy_;
    switch (kind_) {
      case Backdrop::stripes:
        return edge(std::abs(cell(u)) - 0.25);
      case Backdrop::checks: {
        const double a = std::abs(cell(u)) - 0.25, b = std::abs(cell(v)) - 0.25;
        return edge((a > 0) == (b > 0) ? std::min(std::abs(a), std::abs(b)) : -std::min(std::abs(a), std::abs(b)));
      }
      case Backdrop::dots:
        return edge(0.27 - std::hypot(cell(u), cell(v)));
      case Backdrop::waves:
        return edge(std::abs(cell(u + 0.25 * period_ * std::sin(2 * kPi * v / period_))) - 0.25);
      case Backdrop::noise:
        return smooth(0.3, 0.7, noise(seed_, x / (1.3 * period_), y / (1.3 * period_)));
      default:
        return 0.5 + 0.5 * std::sin((x * c + y * s) * 1.4 + dx_);
    }
  }

 private:
  [[nodiscard]] double cell(double v) const { return v / period_ - std::floor(v / period_) - 0.5; }  // -0.5 .. 0.5
  [[nodiscard]] double edge(double d) const { return std::clamp(d * period_ / soft_ + 0.5, 0.0, 1.0); }

  Backdrop kind_;
  std::uint64_t seed_;
  double soft_, angle_, period_, dx_, dy_;
};

struct Sky {
  Rgb top, bottom;
};
Sky sky_of(Backdrop scene) {
  switch (scene) {
    case Backdrop::night:
      return {{10, 12, 38}, {44, 40, 92}};
    case Backdrop::sea:
      return {{120, 190, 240}, {224, 242, 250}};
    case Backdrop::hills:
      return {{132, 196, 244}, {240, 246, 236}};
    case Backdrop::sunset:
      return {{72, 36, 104}, {255, 150, 84}};
    case Backdrop::city:
      return {{40, 44, 92}, {214, 130, 150}};
    case Backdrop::snow:
      return {{132, 150, 182}, {206, 216, 230}};
    case Backdrop::rain:
      return {{46, 54, 68}, {96, 106, 120}};
    default:
      return {{150, 210, 246}, {232, 246, 250}};
  }
}

// Three rows of hills, each nearer and darker.
void paint_hills(Canvas& canvas, Random& random, const Rgb& far, const Rgb& near) {
  for (int layer = 0; layer < 3; ++layer) {
    const double base = 0.60 + 0.12 * layer, f = random.real(3, 6), p = random.real(0, 6.3), q = random.real(0, 6.3);
    const Rgb color = blend(far, near, layer / 2.0);
    for (int x = 0; x < canvas.width(); ++x) {
      const double u = (x + 0.5) / canvas.unit();
      const double top = (base + 0.06 * std::sin(f * u + p) + 0.025 * std::sin(2.7 * f * u + q)) * canvas.height();
      for (int y = static_cast<int>(top); y < canvas.height(); ++y) canvas.mix(x, y, color, y + 1.0 - top);
    }
  }
}

void paint_city(Canvas& canvas, Random& random) {
  const double unit = canvas.unit();
  for (int layer = 0; layer < 2; ++layer) {
    const Rgb wall = layer == 0 ? Rgb{66, 58, 104} : Rgb{26, 26, 52};
    for (double left = -0.1 * unit; left < canvas.width();) {
      const double width = random.real(0.12, 0.24) * unit, height = random.real(0.2, 0.5) * (layer == 0 ? 1.25 : 0.9);
      const int x0 = static_cast<int>(left), x1 = static_cast<int>(left + width);
      const int top = static_cast<int>(canvas.height() * (1.0 - 0.75 * height));
      const int step = std::max(3, static_cast<int>(0.045 * unit)), pane = std::max(1, step / 2);
      for (int y = top; y < canvas.height(); ++y) {
        for (int x = x0; x < x1; ++x) canvas.mix(x, y, wall, 1.0);
      }
      for (int y = top + pane; layer == 1 && y + pane < canvas.height(); y += step) {
        for (int x = x0 + pane; x + pane < x1; x += step) {
          if (!random.chance(0.45)) continue;
          for (int k = 0; k < pane * pane; ++k) canvas.mix(x + k % pane, y + k / pane, {255, 214, 130}, 0.85);
        }
      }
      left += width + random.real(0.0, 0.03) * unit;
    }
  }
}

void paint_meadow(Canvas& canvas, Random& random) {
  paint_hills(canvas, random, {150, 206, 120}, {84, 160, 84});
  constexpr std::array<Rgb, 4> kPetals{{{255, 255, 255}, {255, 226, 110}, {244, 130, 160}, {190, 140, 230}}};
  const double unit = canvas.unit();
  for (int i = 0; i < 46; ++i) {
    const double depth = random.real(), x = random.real(0, canvas.width()), y = (0.72 + 0.27 * depth) * canvas.height();
    canvas.disc(x, y, (0.007 + 0.011 * depth) * unit, kPetals[static_cast<std::size_t>(random.below(4))], 0.95);
  }
}

void paint_scene(Canvas& canvas, const Appearance& appearance, Random& random) {
  const Sky sky = sky_of(appearance.backdrop);
  const double unit = canvas.unit();
  for (int y = 0; y < canvas.height(); ++y) {
    const Rgb c = blend(sky.top, sky.bottom, smooth(0.0, 0.85, (y + 0.5) / canvas.height()));
    for (int x = 0; x < canvas.width(); ++x) canvas.set(x, y, c);
  }
  switch (appearance.backdrop) {
    case Backdrop::hills:
      paint_hills(canvas, random, {140, 182, 150}, {44, 104, 76});
      break;
    case Backdrop::meadow:
      paint_meadow(canvas, random);
      break;
    case Backdrop::snow:
      paint_hills(canvas, random, {196, 208, 226}, {240, 244, 250});
      break;
    case Backdrop::night:
      paint_hills(canvas, random, {28, 28, 66}, {12, 14, 34});
      break;
    case Backdrop::rain:
      paint_hills(canvas, random, {70, 82, 92}, {38, 48, 56});
      break;
    case Backdrop::city:
      paint_city(canvas, random);
      break;
    case Backdrop::sunset: {
      const double x = random.real(0.25, 0.75) * canvas.width(), y = 0.58 * canvas.height();
      for (int halo = 8; halo >= 1; --halo) canvas.disc(x, y, (0.14 + 0.035 * halo) * unit, {255, 214, 140}, 0.06);
      canvas.disc(x, y, 0.14 * unit, {255, 226, 150}, 1.0);
      paint_hills(canvas, random, {130, 52, 84}, {44, 22, 52});
      break;
    }
    default:
      break;
  }
}

void paint_sea(Canvas& canvas, const Appearance& appearance, double t) {
  Random random({appearance.seed, 77});
  const double phase = random.real(0, 6.3), unit = canvas.unit();
  const int horizon = static_cast<int>(0.56 * canvas.height());
  for (int y = horizon; y < canvas.height(); ++y) {
    const double depth = (y - horizon + 1.0) / (canvas.height() - horizon);
    const Rgb water = blend({110, 180, 214}, {16, 84, 140}, depth);
    for (int x = 0; x < canvas.width(); ++x) {
      const double u = x / unit, row = 9.0 / (0.15 + depth);  // rows of waves come closer together towards the horizon
      const double crest =
          std::sin(row * 2.2 + 1.1 * std::sin(5 * u + phase + 0.8 * t) + 1.6 * t + 0.6 * std::sin(13 * u - t));
      canvas.set(x, y, blend(water, {222, 242, 250}, 0.5 * smooth(0.72, 1.0, crest)));
    }
  }
}

void paint_snow(Canvas& canvas, const Appearance& appearance, double t) {
  Random random({appearance.seed, 78});
  for (int i = 0; i < 70; ++i) {
    const double depth = random.real(0.4, 1.0), x = random.real(), y = random.real() + t * 0.22 * depth;
    const double sway = 0.02 * std::sin(2 * t + random.real(0, 6.3));
    canvas.disc((x + sway) * canvas.width(), (y - std::floor(y)) * canvas.height(), 0.013 * depth * canvas.unit(),
                {255, 255, 255}, 0.9 * depth);
  }
}

void paint_rain(Canvas& canvas, const Appearance& appearance, double t) {
  Random random({appearance.seed, 79});
  const double length = 0.09 * canvas.unit();
  for (int i = 0; i < 60; ++i) {
    const double depth = random.real(0.4, 1.0), y = random.real() + t * 1.3 * depth,
                 x = random.real() - 0.2 * t * depth;
    const double px = (x - std::floor(x)) * canvas.width(), py = (y - std::floor(y)) * canvas.height();
    for (double k = 0; k < length * depth; k += 1.0) {
      canvas.mix(static_cast<int>(px - 0.2 * k), static_cast<int>(py + k), {200, 214, 230}, 0.45 * depth);
    }
  }
}

void paint_stars(Canvas& canvas, const Appearance& appearance, double t) {
  Random random({appearance.seed, 80});
  for (int i = 0; i < 45; ++i) {
    const double x = random.real() * canvas.width(), y = 0.58 * random.real() * canvas.height();
    const double light = 0.55 + 0.45 * std::sin(random.real(1, 5) * t + random.real(0, 6.3));
    canvas.disc(x, y, random.real(0.2, 0.9) * canvas.unit() / 128.0, {255, 250, 226}, light);
  }
}

}  // namespace

Rgb shape_color(int color) { return kShapeColors.at(static_cast<std::size_t>(color)); }

void paint_backdrop(Canvas& canvas, const Appearance& appearance) {
  Random random({appearance.seed, 76});
  if (static_cast<int>(appearance.backdrop) >= kTextures) return paint_scene(canvas, appearance, random);
  const Pair colors = texture_colors(appearance, random);
  const double unit = canvas.unit();
  const Texture texture(appearance.backdrop, appearance.seed, 1.0 / unit, random);
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      canvas.set(x, y, blend(colors.a, colors.b, texture.at((x + 0.5) / unit, (y + 0.5) / unit)));
    }
  }
}

void paint_weather(Canvas& canvas, const Appearance& appearance, double seconds) {
  switch (appearance.backdrop) {
    case Backdrop::sea:
      return paint_sea(canvas, appearance, seconds);
    case Backdrop::snow:
      return paint_snow(canvas, appearance, seconds);
    case Backdrop::rain:
      return paint_rain(canvas, appearance, seconds);
    case Backdrop::night:
      return paint_stars(canvas, appearance, seconds);
    default:
      return;
  }
}

}  // namespace reeltag::make_clips

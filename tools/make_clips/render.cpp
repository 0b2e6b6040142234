#include <array>

#include "backdrop.hpp"
#include "canvas.hpp"
#include "font.hpp"
#include "motion.hpp"
#include "reeltag/make_clips.hpp"
#include "shapes.hpp"

namespace reeltag::make_clips {
namespace {

// A sticker: two-tone fill (so that rotation is visible on round shapes too), white border, soft shadow.
class Sticker {
 public:
  explicit Sticker(const Appearance& appearance)
      : field_(field_of(appearance.shape)),
        light_(shape_color(appearance.color)),
        dark_{light_.r * 0.78, light_.g * 0.62, light_.b * 0.66} {}

  // Centre and radius in pixels; painted once, without wrapping.
  void paint(Canvas& canvas, double cx, double cy, double radius, double angle) const {
    const double reach = (ShapeField::kReach + kShadow) * radius;
    const int x0 = std::max(0, static_cast<int>(cx - reach)), y0 = std::max(0, static_cast<int>(cy - reach));
    const int x1 = std::min(canvas.width() - 1, static_cast<int>(cx + reach));
    const int y1 = std::min(canvas.height() - 1, static_cast<int>(cy + reach));
    const double c = std::cos(angle) / radius, s = std::sin(angle) / radius, drop = kShadow * radius;
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) {
        const double dx = x + 0.5 - cx, dy = y + 0.5 - cy;
        const double sx = dx - drop * 0.7, sy = dy - drop;
        const double shadow = field_.at(c * sx + s * sy, -s * sx + c * sy);
        const double u = c * dx + s * dy, v = -s * dx + c * dy, d = field_.at(u, v);
        canvas.mix(x, y, {0, 0, 0}, 0.38 * (1.0 - smooth(-0.05, 0.32, shadow)));
        canvas.mix(x, y, {250, 250, 250}, std::clamp((kBorder - d) * radius + 0.5, 0.0, 1.0));
        canvas.mix(x, y, blend(dark_, light_, u * radius + 0.5), std::clamp(0.5 - d * radius, 0.0, 1.0));
      }
    }
  }

 private:
  static constexpr double kBorder = 0.11, kShadow = 0.16;  // of the radius
  const ShapeField& field_;
  Rgb light_, dark_;
};

// The frame is a torus: a shape that leaves on one side re-enters on the other.
void paint_wrapped(Canvas& canvas, const Sticker& sticker, const Pose& pose) {
  const double w = canvas.width(), h = canvas.height(), radius = pose.radius * canvas.unit();
  const double reach = (ShapeField::kReach + 0.2) * radius;
  for (int j = -1; j <= 1; ++j) {
    for (int i = -1; i <= 1; ++i) {
      const double x = (pose.x + i) * w, y = (pose.y + j) * h;
      if (x + reach < 0 || x - reach > w || y + reach < 0 || y - reach > h) continue;
      sticker.paint(canvas, x, y, radius, pose.angle);
    }
  }
}

}  // namespace

media::Frames render(const Clip& clip, const Options& options) {
  Canvas still(options.width, options.height);
  paint_backdrop(still, clip.appearance);
  const Sticker sticker(clip.appearance);
  media::Frames frames;
  frames.count = std::max(1, static_cast<int>(std::lround(options.seconds * options.fps)));
  frames.height = options.height;
  frames.width = options.width;
  frames.data.reserve(frames.frame_bytes() * static_cast<std::size_t>(frames.count));
  for (int t = 0; t < frames.count; ++t) {
    const double seconds = t / options.fps;
    Canvas canvas = still;
    paint_weather(canvas, clip.appearance, seconds);
    paint_wrapped(canvas, sticker, pose_at(clip.appearance, clip.motion, seconds));
    paint_words(canvas, clip.appearance.words, clip.appearance.seed % 2 == 0 ? 0.02 : 0.98);
    frames.data.insert(frames.data.end(), canvas.bytes().begin(), canvas.bytes().end());
    frames.times.push_back(seconds);
  }
  return frames;
}

}  // namespace reeltag::make_clips

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "random.hpp"
#include "reeltag/make_clips.hpp"
#include "words.hpp"

namespace reeltag::make_clips {
namespace {

constexpr std::int64_t kStart = 1704067200;  // 2024-01-01 00:00 UTC
constexpr double kMonthSeconds = 30.0 * 86400.0;
constexpr int kAuthors = 40;

// Independent streams of random numbers, so that e.g. --wrong changes hashtags but nothing visible.
enum Stream : std::uint64_t { kId = 1, kLook, kScene, kMotionStream, kAuthor, kTime, kNoise, kMix, kGroup };

void require(bool ok, const std::string& message) {
  if (!ok) throw Exception(Code::invalid_argument, "make_clips: " + message);
}

void check(const Options& o, int most) {
  require(o.classes >= 0 && o.classes <= most, "this set has 1 to " + std::to_string(most) + " classes");
  require(o.clips_per_class >= 1 && o.clips_per_class <= 1'000'000, "--clips-per-class wants 1 to 1000000");
  require(o.seconds > 0 && o.seconds <= 600 && o.fps >= 1 && o.fps <= 120, "want 0 < seconds <= 600, 1 <= fps <= 120");
  require(
      o.width >= 32 && o.height >= 32 && o.width <= 4096 && o.height <= 4096 && o.width % 2 == 0 && o.height % 2 == 0,
      "--size wants even numbers from 32 to 4096");
  for (const double p : {o.wrong, o.missing, o.generic, o.text}) require(p >= 0 && p <= 1, "probabilities are 0 to 1");
  require(o.months >= 1 && o.months <= 240, "--months wants 1 to 240");
}

std::string hex(std::uint64_t v, int digits) {
  std::array<char, 17> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%016llx", static_cast<unsigned long long>(v));
  return std::string(buffer.data()).substr(16 - static_cast<std::size_t>(digits));
}

// The look shared by clips of one group, whatever their classes.
Appearance common_appearance(const Options& o, std::uint64_t group) {
  Random random({o.seed, kScene, group});
  Appearance appearance;
  appearance.seed = random.next();
  // Half of the clips have scenes; in the motion set only the shape may move, so textures only.
  const bool scene = o.set != Set::motion && random.chance(0.5);
  appearance.backdrop =
      static_cast<Backdrop>(scene ? kTextures + random.below(kBackdrops - kTextures) : random.below(kTextures));
  return appearance;
}

// Balanced over all properties (see motion.hpp); independent of the class.
Appearance motion_appearance(const Options& o, std::uint64_t index) {
  Appearance appearance = common_appearance(o, index);
  Random random({o.seed, kLook, index});
  appearance.shape = static_cast<Shape>(random.below(kShapes));
  appearance.color = random.below(kColors);
  appearance.x = random.real();
  appearance.y = random.real();
  appearance.zoom_phase = random.real();
  appearance.angle = random.real(0, 2 * std::numbers::pi);
  appearance.speed = random.real(0.8, 1.25);
  return appearance;
}

// Arranged for appearance: near the middle, upright, with room to move.
Appearance free_appearance(const Options& o, std::uint64_t index, std::uint64_t group, const ClassDef& def,
                           Motion motion) {
  Appearance appearance = common_appearance(o, group);
  Random random({o.seed, kLook, index});
  appearance.shape = def.shape ? *def.shape : static_cast<Shape>(random.below(kShapes));
  appearance.color = random.below(kColors);
  appearance.x = random.real(0.3, 0.7);
  appearance.y = motion == Motion::bounce ? random.real(0.7, 0.8) : random.real(0.3, 0.7);
  appearance.radius_low = 0.12;
  appearance.radius_high = 0.36;
  appearance.zoom_phase = motion == Motion::zoom_in    ? random.real(0.0, 0.3)
                          : motion == Motion::zoom_out ? random.real(0.7, 1.0)
                                                       : random.real(0.35, 0.8);
  appearance.angle = random.real(-0.3, 0.3);
  appearance.speed = random.real(0.75, 1.3);
  if (random.chance(o.text)) appearance.words = screen_words(random.below(1000));
  return appearance;
}

int class_of(const Options& o, int classes, std::uint64_t n, double age) {
  if (o.drift != Drift::mix) return static_cast<int>(n % static_cast<std::uint64_t>(classes));
  std::vector<double> weights;
  double total = 0.0;
  for (int c = 0; c < classes; ++c) {
    const double place = classes == 1 ? age : static_cast<double>(c) / (classes - 1);
    weights.push_back(0.1 + std::max(0.0, 1.0 - 1.5 * std::abs(place - age)));
    total += weights.back();
  }
  double draw = Random({o.seed, kMix, n}).real() * total;
  for (int c = 0; c < classes - 1; ++c) {
    if ((draw -= weights[static_cast<std::size_t>(c)]) < 0) return c;
  }
  return classes - 1;
}

std::vector<std::string> noisy(const Options& o, const std::vector<ClassDef>& classes, std::uint64_t n,
                               const Clip& clip) {
  Random random({o.seed, kNoise, n});
  auto tags = clip.truth;
  const int others = static_cast<int>(classes.size()) - 1;
  const bool wrong = random.chance(o.wrong);
  const int shift = others > 0 ? 1 + random.below(others) : 0;
  if (wrong && others > 0) {
    const auto at =
        std::find_if(classes.begin(), classes.end(), [&](const ClassDef& d) { return d.name == clip.class_name; });
    tags[0] = classes[static_cast<std::size_t>(at - classes.begin() + shift) % classes.size()].name;
  }
  std::vector<std::string> kept;
  for (auto& tag : tags) {
    if (!random.chance(o.missing)) kept.push_back(std::move(tag));
  }
  if (random.chance(o.generic)) {
    const int first = random.below(kGenericTags), count = 1 + random.below(3);
    for (int i = 0; i < count; ++i) kept.emplace_back(generic_tag((first + i) % kGenericTags));
  }
  return kept;
}

Clip make_clip(const Options& o, const std::vector<ClassDef>& classes, std::uint64_t n, double age) {
  const auto count = static_cast<std::uint64_t>(classes.size());
  const int c = class_of(o, static_cast<int>(count), n, age);
  const ClassDef& def = classes[static_cast<std::size_t>(c)];
  const std::uint64_t group = o.set == Set::motion ? n / count : n / 2;
  Clip clip;
  clip.id = hex(Random({o.seed, kId, static_cast<std::uint64_t>(o.set), n}).next(), 12);
  clip.motion = def.motion ? *def.motion : static_cast<Motion>(Random({o.seed, kMotionStream, n}).below(kMotions));
  clip.appearance = o.set == Set::motion ? motion_appearance(o, group) : free_appearance(o, n, group, def, clip.motion);
  const auto partner = static_cast<std::size_t>(c ^ 1);
  const bool swapped = o.drift == Drift::labels && age >= 0.5 && partner < classes.size();
  clip.class_name = swapped ? classes[partner].name : def.name;
  clip.file = clip.class_name + "/" + clip.id + ".mp4";
  clip.group = hex(Random({o.seed, kGroup, static_cast<std::uint64_t>(o.set), group}).next(), 10);
  const double rank = Random({o.seed, kAuthor, group}).real();  // few authors make most of the clips
  clip.author = "maker" + std::to_string(static_cast<int>(kAuthors * rank * rank));
  clip.created = kStart + static_cast<std::int64_t>(age * o.months * kMonthSeconds);
  clip.caption = caption_of(clip);
  clip.truth = truth_of(clip, o.set);
  clip.hashtags = noisy(o, classes, n, clip);
  return clip;
}

}  // namespace

std::vector<Clip> plan(const Options& options) {
  auto classes = classes_of(options.set);
  check(options, static_cast<int>(classes.size()));
  const int wanted = options.classes > 0 ? options.classes : default_classes(options.set);
  classes.resize(static_cast<std::size_t>(wanted));
  const auto total = static_cast<std::uint64_t>(wanted) * static_cast<std::uint64_t>(options.clips_per_class);
  std::vector<Clip> clips;
  clips.reserve(total);
  for (std::uint64_t n = 0; n < total; ++n) {
    const double jitter = Random({options.seed, kTime, n}).real();
    clips.push_back(make_clip(options, classes, n, (static_cast<double>(n) + jitter) / static_cast<double>(total)));
  }
  return clips;
}

}  // namespace reeltag::make_clips

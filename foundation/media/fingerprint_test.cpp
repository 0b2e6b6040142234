#include "reeltag/media/fingerprint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

namespace reeltag::media {
namespace {

using testing::ElementsAre;

// A picture of soft shapes that move with t; each seed gives other shapes.
class Shapes {
 public:
  explicit Shapes(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> unit(0.0, 1.0);
    for (auto& wave : waves_) wave = {1 + 5 * unit(random), 1 + 5 * unit(random), 6 * unit(random), unit(random)};
  }
  [[nodiscard]] double at(double x, double y, double t) const {
    double value = 0.0;
    for (const auto& [fx, fy, phase, speed] : waves_) value += std::sin(fx * x + fy * y + phase + t * speed);
    return 0.5 + value / 12;
  }

 private:
  std::array<std::array<double, 4>, 8> waves_;
};

struct Alteration {
  unsigned seed = 1;
  int width = 96, height = 72, bar = 0;  // black pixels above and below
  double gain = 1.0, offset = 0.0, late = 0.0, crop = 0.0;
  int flat_frames = 0;  // at the start
};

Fingerprint print_of(const Alteration& alteration, double duration = 10.0) {
  Frames frames{.count = static_cast<int>(kFingerprintFrames),
                .height = alteration.height,
                .width = alteration.width,
                .data = {},
                .times = fingerprint_times(duration)};
  const Shapes shapes(alteration.seed);
  for (int t = 0; t < frames.count; ++t) {
    for (int y = 0; y < alteration.height; ++y) {
      for (int x = 0; x < alteration.width; ++x) {
        const bool bar = y < alteration.bar || y >= alteration.height - alteration.bar;
        const double u = alteration.crop + (1 - 2 * alteration.crop) * (x + 0.5) / alteration.width;
        const double v = alteration.crop + (1 - 2 * alteration.crop) * (y + 0.5 - alteration.bar) /
                                               (alteration.height - 2 * alteration.bar);
        const double time = frames.times[static_cast<std::size_t>(t)] * 0.1 + alteration.late;
        const double luma = 255 * (alteration.gain * shapes.at(u, v, time) + alteration.offset);
        const auto byte = static_cast<std::uint8_t>(std::clamp(bar                          ? 16.0
                                                               : t < alteration.flat_frames ? 90.0
                                                                                            : luma,
                                                               0.0, 255.0));
        frames.data.insert(frames.data.end(), 3, byte);
      }
    }
  }
  return fingerprint_of(frames, duration);
}

TEST(Fingerprint, CopiesAreNearAndOthersFar) {
  const auto original = print_of({});
  for (const Alteration& copy : {Alteration{}, Alteration{.width = 64, .height = 48},
                                 Alteration{.width = 200, .height = 150}, Alteration{.gain = 0.8, .offset = 0.1},
                                 Alteration{.bar = 9}, Alteration{.late = 0.02}, Alteration{.crop = 0.01}}) {
    EXPECT_TRUE(look_alike(original, print_of(copy))) << copy.width << " " << copy.bar << " " << copy.crop;
  }
  for (unsigned seed = 2; seed < 30; ++seed) EXPECT_FALSE(look_alike(original, print_of({.seed = seed}))) << seed;
}

TEST(Fingerprint, ADurationThatDoesNotFitPartsThem) {
  const auto original = print_of({});
  auto other = original;
  other.duration = 10.4;
  EXPECT_TRUE(look_alike(original, other));
  other.duration = 10.6;
  EXPECT_FALSE(look_alike(original, other));
  EXPECT_FALSE(look_alike(other, original));
}

TEST(Fingerprint, FlatFramesSayNothing) {
  const auto black = print_of({.gain = 0.0});
  for (const auto& frame : black.frames) EXPECT_FALSE(frame);
  EXPECT_FALSE(look_alike(black, black));
  const auto faded = print_of({.flat_frames = 4});
  EXPECT_FALSE(faded.frames[3]);
  EXPECT_TRUE(faded.frames[4]);
  EXPECT_TRUE(look_alike(faded, print_of({})));
  EXPECT_FALSE(look_alike(print_of({.flat_frames = 5}), print_of({})));  // two frames are too few
  EXPECT_EQ(fingerprint_of({}, 1.0), (Fingerprint{.duration = 1.0, .frames = {}}));
}

TEST(Fingerprint, TextsGoBothWays) {
  for (const auto& print : {print_of({}), print_of({.flat_frames = 3}), Fingerprint{}}) {
    EXPECT_EQ(fingerprint_from(to_text(print)), print) << to_text(print);
  }
  EXPECT_TRUE(to_text(print_of({.flat_frames = 1})).starts_with("1 10.000 - "));
  const auto good = to_text(print_of({}));
  for (const std::string& bad :
       {std::string(), std::string("1"), "2" + good.substr(1), good + " -", good + "g",
        good.substr(0, good.size() - 17), std::string("1 nan - - - - - - -"), std::string("1 x - - - - - - -")}) {
    EXPECT_FALSE(fingerprint_from(bad)) << bad;
  }
}

TEST(Fingerprint, TimesAreTheMiddlesOfSevenths) {
  const auto times = fingerprint_times(7.0);
  EXPECT_THAT(times, ElementsAre(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5));
}

TEST(Clusters, AreNamedByTheirFirst) {
  const auto a = print_of({}), b = print_of({.seed = 5}), c = print_of({.seed = 9});
  const std::vector<Fingerprint> all{b, a, Fingerprint{}, print_of({.gain = 0.9}), c, b, Fingerprint{}};
  EXPECT_THAT(clusters_of(all), ElementsAre(0, 1, 2, 1, 4, 0, 6));
  EXPECT_TRUE(clusters_of({}).empty());
}

// Fingerprints like those of a hundred thousand videos, one in ten a copy: they share structure as real pictures do
// (low frequencies repeat), and have the durations of short videos.
TEST(Clusters, FindCopiesAmongAHundredThousand) {
  std::mt19937_64 random(7);
  const auto flipped = [&](std::uint64_t bits, int count) {
    for (int i = 0; i < count; ++i) bits ^= std::uint64_t{1} << (random() % 64);
    return bits;
  };
  std::vector<std::uint64_t> scenes(500);
  for (auto& scene : scenes) scene = random();
  constexpr std::size_t kVideos = 100'000;
  std::vector<Fingerprint> all;
  std::vector<std::size_t> original;
  for (std::size_t i = 0; i < kVideos; ++i) {
    if (i > 100 && i % 10 == 0) {
      original.push_back(random() % i);
      auto copy = all[original.back()];
      for (auto& frame : copy.frames) *frame = flipped(*frame, static_cast<int>(random() % 9));
      all.push_back(copy);
      continue;
    }
    original.push_back(i);
    Fingerprint print{.duration = 5.0 + static_cast<double>(random() % 5500) / 100, .frames = {}};
    auto scene = scenes[random() % scenes.size()];
    for (auto& frame : print.frames) frame = scene = flipped(scene, 24);
    all.push_back(print);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto clusters = clusters_of(all);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  std::size_t copies = 0, found = 0, wrong = 0;
  for (std::size_t i = 0; i < kVideos; ++i) {
    if (original[i] == i) {
      wrong += clusters[i] != i;
    } else {
      ++copies;
      found += clusters[i] == clusters[original[i]];
    }
  }
  RecordProperty("seconds", std::to_string(taken.count()));
  RecordProperty("found", std::to_string(found) + " of " + std::to_string(copies) + ", wrong " + std::to_string(wrong));
  EXPECT_GT(found, copies * 99 / 100);
  EXPECT_LT(wrong, 20U);
  EXPECT_LT(taken.count(), 60.0);  // a quadratic search needs 5e9 comparisons; the figure is in docs/adr/0043
}

}  // namespace
}  // namespace reeltag::media

// Checks which frame is returned for a time against the ffmpeg program, on every container and codec.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::ClipKind, test::Folder, test::Implementation;

class FrameChoice : public testing::TestWithParam<std::tuple<Implementation, ClipKind>> {
 protected:
  [[nodiscard]] const Implementation& implementation() const { return std::get<0>(GetParam()); }
  [[nodiscard]] const ClipKind& kind() const { return std::get<1>(GetParam()); }

  // The reference frame that media.hpp specifies for t.
  static int on_screen(const Frames& reference, double t) {
    int frame = 0;
    while (frame + 1 < reference.count && reference.times[frame + 1] <= t + 0.5e-6) ++frame;
    return frame;
  }

  static void expect_frames(const Frames& got, const std::vector<double>& asked, const Frames& reference) {
    ASSERT_EQ(got.count, static_cast<int>(asked.size()));
    ASSERT_EQ(got.width, reference.width);
    ASSERT_EQ(got.height, reference.height);
    for (int i = 0; i < got.count; ++i) {
      const int want = on_screen(reference, asked[i]);
      EXPECT_NEAR(got.times[i], reference.times[want], 0.0011) << "asked for " << asked[i];
      EXPECT_EQ(test::most_alike(reference, got.frame(i)), want) << "asked for " << asked[i];
      EXPECT_LT(test::difference(reference.frame(want), got.frame(i)), 0.5) << "asked for " << asked[i];
    }
  }

  Folder folder_;
};

TEST_P(FrameChoice, IsTheOneThatFfmpegShows) {
  const auto clip = folder_.clip(kind().name, kind().arguments);
  const Frames reference = test::ffmpeg_frames(folder_, clip);
  ASSERT_GT(reference.count, 5);

  auto decoder = implementation().open(clip, {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_EQ((*decoder)->probe().codec, kind().codec);
  const auto times = (*decoder)->frame_times();
  ASSERT_TRUE(times) << times.error().message;
  ASSERT_EQ(times->size(), reference.times.size());
  for (std::size_t i = 0; i < times->size(); ++i) EXPECT_NEAR((*times)[i], reference.times[i], 0.0011);

  EXPECT_NEAR((*decoder)->probe().duration, times->back(), 0.25);
  // Matroska's header states the source's frame rate, even if frames were dropped.
  if (kind().name != "variable.mkv") {
    EXPECT_NEAR((*decoder)->probe().fps, static_cast<double>(times->size()) / (*decoder)->probe().duration, 1.5);
  }

  // Every frame; then single, distant and unordered ones, which the decoder reaches in different ways.
  std::vector<std::vector<double>> questions = {
      *times, {0.0}, {times->back()}, {-5.0, 0.3, 99.0}, {1.1, 0.2, 1.1, 2.0}};
  std::mt19937 random(1);
  for (int i = 0; i < 3; ++i) {
    questions.emplace_back();
    for (int k = 0; k < 3; ++k) questions.back().push_back(std::uniform_real_distribution<>(0.0, 2.4)(random));
  }
  for (const auto& asked : questions) {
    const auto got = (*decoder)->frames_at(asked, {});
    ASSERT_TRUE(got) << got.error().message;
    expect_frames(*got, asked, reference);
  }
}

INSTANTIATE_TEST_SUITE_P(All, FrameChoice,
                         testing::Combine(testing::ValuesIn(test::implementations()),
                                          testing::ValuesIn(test::clip_kinds())),
                         [](const auto& p) {
                           std::string name = std::get<0>(p.param).name + "_" + std::get<1>(p.param).name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace reeltag::media

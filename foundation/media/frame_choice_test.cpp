// Which frame stands for a time, checked against the ffmpeg program, on every container and codec.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

struct ClipKind {
  std::string name;       // of the file
  std::string arguments;  // for ffmpeg
  std::string codec;
};
void PrintTo(const ClipKind& k, std::ostream* out) { *out << k.name; }

// testsrc2 counts its frames in the picture and moves in every one.
const std::string kSource = "-f lavfi -i testsrc2=s=160x120:r=25:d=2.4 ";
// Drops frames in an irregular rhythm and keeps the times of the others: variable frame rate.
const std::string kVariable = kSource + "-vf \"select='not(mod(n,3))+not(mod(n,7))'\" -vsync vfr ";
const std::string kX264 = "-c:v libx264 -crf 18 -pix_fmt yuv420p ";

std::vector<ClipKind> kinds() {
  return {
      {"h264.mp4", kSource + kX264, "h264"},
      {"bframes.mp4", kSource + kX264 + "-bf 3 -b_strategy 0 -g 12", "h264"},
      {"pyramid.mov", kSource + kX264 + "-bf 7 -b_strategy 0 -x264-params b-pyramid=normal:keyint=30", "h264"},
      {"open_gop.mkv", kSource + kX264 + "-bf 3 -b_strategy 0 -x264-params open-gop=1:keyint=10:min-keyint=10", "h264"},
      {"refresh.mp4", kSource + kX264 + "-x264-params intra-refresh=1:keyint=12", "h264"},
      {"variable.mp4", kVariable + kX264 + "-bf 2 -g 9", "h264"},
      {"variable.mkv", kVariable + kX264 + "-bf 2 -g 9", "h264"},
      {"fragmented.mp4", kSource + kX264 + "-bf 2 -g 10 -movflags frag_keyframe+empty_moov", "h264"},
      {"all_keys.mp4", kSource + kX264 + "-g 1", "h264"},
      {"late.mkv", kSource + kX264 + "-bf 2 -output_ts_offset 3.7", "h264"},
      {"h264.avi", kSource + kX264 + "-bf 0", "h264"},
      {"h264.ts", kSource + kX264 + "-bf 2 -g 15", "h264"},
      {"hevc.mp4",
       kSource + "-c:v libx265 -x265-params log-level=none:keyint=15:bframes=4 -tag:v hvc1 -pix_fmt yuv420p", "hevc"},
      {"hevc.mkv", kSource + "-c:v libx265 -x265-params log-level=none:open-gop=1:keyint=12 -pix_fmt yuv420p10le",
       "hevc"},
      {"layers.mp4", kSource + "-c:v libx265 -x265-params log-level=none:temporal-layers=3:keyint=20:bframes=3",
       "hevc"},
      {"vp9.webm",
       kSource + "-c:v libvpx-vp9 -b:v 400k -g 15 -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 8",
       "vp9"},
      {"vp8.webm", kSource + "-c:v libvpx -b:v 400k -deadline realtime -cpu-used 8", "vp8"},
      {"av1.webm", kSource + "-c:v libsvtav1 -preset 12 -g 15 -pix_fmt yuv420p", "av1"},
      {"av1.mp4", kSource + "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k -g 20", "av1"},
      {"mpeg4.avi", kSource + "-c:v mpeg4 -q:v 3", "mpeg4"},
      {"mpeg4_b.avi", kSource + "-c:v mpeg4 -q:v 3 -bf 2", "mpeg4"},
      {"mpeg4_b.mp4", kSource + "-c:v mpeg4 -q:v 3 -bf 2 -g 10", "mpeg4"},
      {"loop.gif", kSource + "-r 10", "gif"},
      {"odd.mp4", "-f lavfi -i testsrc2=s=161x121:r=25:d=1 -c:v libx264 -pix_fmt yuv444p", "h264"},
  };
}

class FrameChoice : public testing::TestWithParam<std::tuple<Implementation, ClipKind>> {
 protected:
  [[nodiscard]] const Implementation& implementation() const { return std::get<0>(GetParam()); }
  [[nodiscard]] const ClipKind& kind() const { return std::get<1>(GetParam()); }

  // The reference frame with the meaning of media.hpp.
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

  // Every frame; then single ones, far ones and unordered ones, which the decoder reaches in different ways.
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
                         testing::Combine(testing::ValuesIn(test::implementations()), testing::ValuesIn(kinds())),
                         [](const auto& p) {
                           std::string name = std::get<0>(p.param).name + "_" + std::get<1>(p.param).name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace reeltag::media

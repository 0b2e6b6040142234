// Conformance tests for every Decoder: properties, upright square pixels, sizes, unusual files. Frame choice and limits
// have separate files.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <thread>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

const std::string kClip = "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -c:v libx264 -crf 12 -pix_fmt yuv420p ";

class DecoderConformance : public testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<Decoder> open(const std::filesystem::path& path, const Limits& limits = {}) {
    auto decoder = GetParam().open(path, limits);
    if (decoder) return std::move(*decoder);
    ADD_FAILURE() << decoder.error().message;
    throw std::runtime_error("no decoder");
  }
  Frames frames(const std::filesystem::path& path, const std::vector<double>& times, const Scale& scale = {}) {
    auto got = open(path)->frames_at(times, scale);
    if (got) return std::move(*got);
    ADD_FAILURE() << got.error().message;
    throw std::runtime_error("no frames");
  }
  void expect_like_ffmpeg(const std::filesystem::path& path, double tolerance = 0.5) {
    const Frames want = test::ffmpeg_frames(folder_, path);
    const Frames got = frames(path, want.times);
    ASSERT_EQ(got.width, want.width);
    ASSERT_EQ(got.height, want.height);
    ASSERT_EQ(got.data.size(), want.data.size());
    for (int t = 0; t < got.count; ++t) {
      EXPECT_NEAR(got.times[t], want.times[t], 0.0011);
      EXPECT_LT(test::difference(got.frame(t), want.frame(t)), tolerance) << "frame " << t;
    }
  }

  Folder folder_;
};

TEST_P(DecoderConformance, ProbeTellsTheFacts) {
  const auto clip = folder_.clip("a.mp4", "-f lavfi -i sine=d=2 " + kClip + "-c:a aac");
  const Probe p = open(clip)->probe();
  EXPECT_EQ(p.codec, "h264");
  EXPECT_NE(p.container.find("mp4"), std::string::npos);
  EXPECT_EQ(p.width, 160);
  EXPECT_EQ(p.height, 120);
  EXPECT_EQ(p.rotation, 0);
  EXPECT_NEAR(p.fps, 25, 1e-6);
  EXPECT_NEAR(p.duration, 1.0, 1e-3);  // of the video stream; the sound is longer
  EXPECT_TRUE(p.has_audio);
  EXPECT_EQ(p.size_bytes, static_cast<std::int64_t>(std::filesystem::file_size(clip)));
  EXPECT_FALSE(open(folder_.clip("b.mp4", kClip))->probe().has_audio);
}

TEST_P(DecoderConformance, MissingDurationIsCountedFromPackets) {
  folder_.run("ffmpeg -nostdin -v error " + kClip + "-f matroska - > live.mkv");
  const auto decoder = open(folder_ / "live.mkv");
  EXPECT_NEAR(decoder->probe().duration, 1.0, 0.002);
  EXPECT_NEAR(decoder->probe().fps, 25.0, 0.1);
}

TEST_P(DecoderConformance, DurationLeavesOutALateStart) {
  EXPECT_NEAR(open(folder_.clip("late.mkv", kClip + "-output_ts_offset 7"))->probe().duration, 1.0, 0.05);
}

// The eight orientations of a display matrix, written into the header directly.
TEST_P(DecoderConformance, StandsUprightByTheDisplayMatrix) {
  const auto plain =
      folder_.clip("plain.mp4", "-f lavfi -i testsrc2=s=90x60:r=5:d=1 -c:v libx264 -crf 4 -pix_fmt yuv444p");
  const std::string bytes = test::content_of(plain);
  const Frames flat = frames(plain, {0.4});
  struct Turn {
    int a, b, c, d, degrees;
  };
  for (const Turn m : {Turn{1, 0, 0, 1, 0}, Turn{0, 1, -1, 0, 90}, Turn{-1, 0, 0, -1, 180}, Turn{0, -1, 1, 0, 270},
                       Turn{-1, 0, 0, 1, 0}, Turn{1, 0, 0, -1, 0}, Turn{0, 1, 1, 0, 90}, Turn{0, -1, -1, 0, 90}}) {
    std::string turned = bytes;
    const std::size_t matrix =
        turned.find("tkhd") + 4 + 4 + 36;  // version 0: the matrix begins 40 bytes after the name
    const std::array<int, 9> values = {m.a << 16, m.b << 16, 0, m.c << 16, m.d << 16, 0, 0, 0, 1 << 30};
    for (int i = 0; i < 9; ++i)
      for (int k = 0; k < 4; ++k)
        turned[matrix + 4 * i + k] = static_cast<char>(static_cast<unsigned>(values[i]) >> (24 - 8 * k));
    const auto path = folder_.file("turned.mp4", turned);
    const Frames got = frames(path, {0.4});
    const Probe p = open(path)->probe();
    EXPECT_EQ(p.rotation, m.degrees);
    ASSERT_EQ(got.width, m.a != 0 ? 90 : 60);
    ASSERT_EQ(p.width, got.width);
    ASSERT_EQ(p.height, got.height);
    std::vector<std::uint8_t> want(flat.data.size());
    for (int y = 0; y < 60; ++y)
      for (int x = 0; x < 90; ++x) {
        int u = m.a * x + m.c * y, v = m.b * x + m.d * y;
        if (u < 0 || m.a + m.c < 0) u += got.width - 1;
        if (v < 0 || m.b + m.d < 0) v += got.height - 1;
        for (int c = 0; c < 3; ++c) want[(v * got.width + u) * 3 + c] = flat.data[(y * 90 + x) * 3 + c];
      }
    EXPECT_LT(test::difference(got.frame(0), want), 0.01) << m.a << m.b << m.c << m.d;
  }
}

TEST_P(DecoderConformance, RotatedPhoneClipLooksAsInFfmpeg) {
  const auto plain = folder_.clip("plain.mp4", kClip);
  // ffmpeg rotates before it interpolates color, so colored edges differ; a wrong rotation differs by 60.
  for (const std::string degrees : {"90", "180", "270"})
    expect_like_ffmpeg(
        folder_.clip("r" + degrees + ".mp4", "-i " + plain.string() + " -c copy -metadata:s:v rotate=" + degrees), 6.0);
}

TEST_P(DecoderConformance, PixelsAreSquare) {
  const std::string wide = "-f lavfi -i testsrc2=s=160x120:r=5:d=1 -c:v libx264 -pix_fmt yuv420p -vf setsar=";
  for (const auto& [sar, width] : {std::pair{"4/3", 213}, {"2/1", 320}, {"1/2", 80}}) {
    const auto clip = folder_.clip("sar.mp4", wide + sar);
    EXPECT_EQ(open(clip)->probe().width, width);
    expect_like_ffmpeg(clip);
    expect_like_ffmpeg(folder_.clip("sar.mkv", "-i " + clip.string() + " -c copy"));
  }
}

TEST_P(DecoderConformance, ScalesToWhatIsAskedFor) {
  const auto wide = folder_.clip("wide.mp4", "-f lavfi -i testsrc2=s=320x180:r=5:d=1 -c:v libx264 -pix_fmt yuv420p");
  const auto tall = folder_.clip("tall.mp4", "-f lavfi -i testsrc2=s=180x320:r=5:d=1 -c:v libx264 -pix_fmt yuv420p");
  const auto size = [&](const auto& clip, const Scale& s) {
    const Frames f = frames(clip, {0.0, 0.5}, s);
    EXPECT_EQ(f.data.size(), 2 * f.frame_bytes());
    return std::pair(f.width, f.height);
  };
  EXPECT_EQ(size(wide, {}), std::pair(320, 180));
  EXPECT_EQ(size(wide, {.short_side = 90}), std::pair(160, 90));
  EXPECT_EQ(size(wide, {.short_side = 100}), std::pair(178, 100));
  EXPECT_EQ(size(tall, {.short_side = 96}), std::pair(96, 171));
  EXPECT_EQ(size(tall, {.short_side = 360}), std::pair(360, 640));
  EXPECT_EQ(size(tall, {.short_side = 1}), std::pair(1, 2));
  EXPECT_EQ(size(wide, {.width = 33, .height = 77}), std::pair(33, 77));
  for (const Scale bad :
       {Scale{.short_side = -1}, Scale{.width = 5}, Scale{.short_side = 5, .width = 5, .height = 5}}) {
    const auto got = open(wide)->frames_at(std::vector<double>{0.0}, bad);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::invalid_argument);
  }
}

TEST_P(DecoderConformance, OddAndTinySizesDecode) {
  for (const std::string size : {"161:121", "17:33", "3:5", "1:1"}) {
    const auto clip = folder_.clip("odd.mkv", "-f lavfi -i color=c=0x3060c0:s=64x64:r=5:d=1 -vf scale=" + size +
                                                  ",setsar=1 -c:v ffv1 -pix_fmt yuv420p");
    const Frames f = frames(clip, {0.5});
    EXPECT_EQ(std::to_string(f.width) + ":" + std::to_string(f.height), size);
    EXPECT_NEAR(f.data[f.data.size() - 1], 0xc0, 4) << size;
  }
}

TEST_P(DecoderConformance, EditListsCutTheStart) {
  // Cutting without re-encoding between two key pictures leaves frames in the file that must not be shown.
  const auto whole = folder_.clip("whole.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=3 -c:v libx264 -bf 2 -g 25");
  for (const std::string from : {"0.52", "1.4"}) {
    const auto cut = folder_.clip("cut.mp4", "-ss " + from + " -i " + whole.string() + " -c copy");
    expect_like_ffmpeg(cut);
    const Frames all = test::ffmpeg_frames(folder_, cut);
    const Frames one = frames(cut, {all.times[20]});
    EXPECT_EQ(test::most_alike(all, one.frame(0)), 20);
  }
}

TEST_P(DecoderConformance, CoverArtIsNoVideo) {
  folder_.clip("cover.png", "-f lavfi -i testsrc2=s=640x480:d=1 -frames:v 1");
  folder_.clip("video.mp4", kClip);
  const auto clip = folder_.clip("both.mp4",
                                 "-i cover.png -i video.mp4 -map 0 -map 1 -c:v:0 mjpeg -c:v:1 copy "
                                 "-disposition:v:0 attached_pic");
  EXPECT_EQ(open(clip)->probe().codec, "h264");
  const auto song = folder_.clip("song.m4a",
                                 "-f lavfi -i sine=d=1 -i cover.png -map 0 -map 1 -c:a aac -c:v mjpeg "
                                 "-disposition:v attached_pic");
  const auto refused = GetParam().open(song, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::not_a_video);
  EXPECT_NE(refused.error().message.find("holds no video stream"), std::string::npos) << refused.error().message;
}

TEST_P(DecoderConformance, SizeMayChangeInTheStream) {
  for (const std::string size : {"160x120", "320x240"})
    folder_.clip(size + ".h264",
                 "-f lavfi -i color=c=red:s=" + size + ":r=25:d=0.4 -c:v libx264 -pix_fmt yuv420p -bf 0");
  folder_.run("cat 160x120.h264 320x240.h264 > both.h264");
  const auto clip = folder_.clip("both.mkv", "-f h264 -i both.h264 -c copy");
  const auto times = open(clip)->frame_times();
  ASSERT_TRUE(times);
  ASSERT_EQ(times->size(), 20U);
  const Frames f = frames(clip, *times);
  EXPECT_EQ(f.width, 160);
  for (int t = 0; t < f.count; ++t) EXPECT_NEAR(f.frame(t)[0], 254, 3) << t;
}

TEST_P(DecoderConformance, TimesMayRepeatAndComeInAnyOrder) {
  const auto clip = folder_.clip("a.mp4", kClip);
  const Frames f = frames(clip, {0.8, 0.0, 0.8, 0.4});
  EXPECT_EQ(f.times, (std::vector<double>{0.8, 0.0, 0.8, 0.4}));
  EXPECT_EQ(test::difference(f.frame(0), f.frame(2)), 0);
  EXPECT_GT(test::difference(f.frame(0), f.frame(3)), 1);
  const Frames none = frames(clip, {}, {.short_side = 30});
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(none.width, 40);
  EXPECT_TRUE(none.data.empty());
}

TEST_P(DecoderConformance, ATimeThatIsNoNumberIsRefused) {
  const auto decoder = open(folder_.clip("a.mp4", kClip));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const auto got = decoder->frames_at(std::vector<double>{0.0, bad}, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::invalid_argument);
  }
  EXPECT_TRUE(decoder->frames_at(std::vector<double>{0.0}, {}));  // and the decoder stays usable
}

TEST_P(DecoderConformance, DecodersWorkSideBySide) {
  const auto clip = folder_.clip("a.mp4", kClip + "-bf 2 -g 10");
  const auto other = folder_.clip(
      "b.webm", "-f lavfi -i mandelbrot=s=128x96:r=25 -t 1 -c:v libvpx-vp9 -deadline realtime -cpu-used 8");
  const std::vector<double> times = {0.0, 0.36, 0.9};
  const Frames one = frames(clip, times), two = frames(other, times);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 4; ++k) EXPECT_EQ(frames(i % 2 ? clip : other, times).data, (i % 2 ? one : two).data);
    });
}

INSTANTIATE_TEST_SUITE_P(Media, DecoderConformance, testing::ValuesIn(test::implementations()),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace reeltag::media

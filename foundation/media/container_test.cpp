// Which containers are read, which are refused as videos that cannot be read, and which as no videos. The frames of
// those that are read are compared in frame_choice_test.cpp.
#include <gtest/gtest.h>

#include <random>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

const std::string kSource = "-f lavfi -i testsrc2=s=160x120:r=25:d=1 ";

// Clips in containers besides the usual ones, 160x120 or larger.
std::vector<std::pair<std::string, std::string>> clips() {
  return {{"a.apng", kSource + "-r 5"},
          {"a.mxf", kSource + "-c:v mpeg2video"},
          {"a.dv", "-f lavfi -i testsrc2=s=720x576:r=25:d=1 -target pal-dv"},
          {"a.rm", kSource + "-s 176x144 -c:v rv10"},
          {"a.ivf", kSource + "-c:v libvpx -deadline realtime -cpu-used 8"},
          {"a.obu", kSource + "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k"},
          {"a.nut", kSource + "-c:v mpeg4"},
          {"a.wtv", kSource + "-c:v mpeg2video"},
          {"a.y4m", kSource + "-pix_fmt yuv420p"},
          {"a.m2v", kSource + "-c:v mpeg2video"},
          {"a.mpg", kSource + "-c:v mpeg2video"}};
}

class Containers : public testing::TestWithParam<Implementation> {
 protected:
  void expect_refused(const std::filesystem::path& path, Code code, const std::string& words,
                      const Limits& limits = {}) {
    testing::internal::CaptureStderr();
    const auto got = GetParam().open(path, limits);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "libraries never print";
    ASSERT_FALSE(got) << path;
    EXPECT_EQ(static_cast<int>(got.error().code), static_cast<int>(code)) << got.error().message;
    EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
    EXPECT_NE(got.error().message.find(path.filename().string()), std::string::npos) << got.error().message;
  }
  void expect_frames_of(const std::filesystem::path& clip) {
    const Frames want = test::ffmpeg_frames(folder_, clip);
    auto decoder = GetParam().open(clip, {});
    ASSERT_TRUE(decoder) << decoder.error().message;
    const auto got = (*decoder)->frames_at(want.times, {});
    ASSERT_TRUE(got) << got.error().message;
    for (int t = 0; t < got->count; ++t) EXPECT_LT(test::difference(got->frame(t), want.frame(t)), 0.5) << t;
  }
  // The extended header of a WebP with these flags, and a chunk that belongs to it.
  [[nodiscard]] std::string webp(char flags, const std::string& chunk) const {
    using namespace std::string_literals;
    const std::string body = "WEBPVP8X\x0a\0\0\0"s + flags + "\0\0\0\x9f\0\0\x77\0\0"s + chunk;
    return "RIFF"s + static_cast<char>(body.size()) + "\0\0\0"s + body;
  }

  Folder folder_;
};

// libav seeks in WTV only roughly.
TEST_P(Containers, WindowsTelevisionIsRead) {
  expect_frames_of(folder_.clip("a.wtv", kSource + "-c:v mpeg2video -q:v 3 -bf 2"));
}

TEST_P(Containers, MotionJpeg2000IsRead) {
  std::string bytes = test::content_of(folder_.clip("a.mov", kSource + "-c:v jpeg2000 -pix_fmt yuv420p"));
  ASSERT_EQ(bytes.substr(4, 8), "ftypqt  ");
  expect_frames_of(folder_.file("a.mj2", bytes.replace(8, 4, "mjp2")));
}

TEST_P(Containers, RealMediaWithSoundIsRead) {
  expect_frames_of(
      folder_.clip("a.rm", "-f lavfi -i sine=d=1 " + kSource + "-s 176x144 -c:v rv20 -c:a real_144 -ac 1 -ar 8000"));
}

TEST_P(Containers, AnAnimatedWebpIsNamed) {
  using namespace std::string_literals;
  const std::string words = "is an animated WebP";
  expect_refused(folder_.file("bare.webp", webp(0x02, "ANIM\x06\0\0\0\0\0\0\0\0\0"s)), Code::unsupported, words);
  expect_refused(folder_.file("alpha.mp4", webp(0x12, "ANIM\x06\0\0\0\xff\xff\xff\xff\0\0"s)), Code::unsupported,
                 words);
  expect_refused(folder_.clip("true.webp", kSource + "-c:v libwebp_anim"), Code::unsupported, words);
}

TEST_P(Containers, VideosInOtherContainersAreNamed) {
  expect_refused(folder_.clip("a.swf", kSource + "-c:v flv"), Code::unsupported, "not read, SWF (ShockWave Flash)");
  expect_refused(folder_.clip("a.roq", kSource + "-s 128x128 -r 30 -c:v roqvideo"), Code::unsupported, "id RoQ");
  expect_refused(folder_.clip("a.mp4", kSource + "-f smjpeg -c:v mjpeg"), Code::unsupported, "Loki SDL MJPEG");
  expect_refused(folder_.clip("a.gxf", "-f lavfi -i testsrc2=s=720x576:r=25:d=1 -c:v mpeg2video"), Code::unsupported,
                 "General eXchange Format");
}

TEST_P(Containers, PicturesAreNoVideos) {
  using namespace std::string_literals;
  for (const std::string name : {"a.png", "a.jpg", "a.webp", "a.bmp", "a.tiff", "a.ppm"})
    expect_refused(folder_.clip(name, kSource + "-frames:v 1"), Code::not_a_video, "looks like");
  expect_refused(folder_.file("still.webp", webp(0x10, "ALPH\x02\0\0\0\0\0"s)), Code::not_a_video, "not a video");
  // Two pictures in a file, as some telephones write, are no video either.
  const std::string picture = test::content_of(folder_ / "a.jpg");
  expect_refused(folder_.file("two.jpg", picture + picture), Code::not_a_video, "looks like");
}

TEST_P(Containers, SoundAndTextAreNoVideos) {
  for (const std::string name : {"a.wav", "a.mp3", "a.flac", "a.aac", "a.au", "a.voc"})
    expect_refused(folder_.clip(name, "-f lavfi -i sine=d=1"), Code::not_a_video, "looks like");
  for (const std::string name : {"a.ogg -c:a flac", "a.nut -c:a flac", "a.wtv -c:a mp2"})
    expect_refused(folder_.clip(name.substr(0, 5), "-f lavfi -i sine=d=1 " + name.substr(6)), Code::not_a_video,
                   "holds no video stream");
  expect_refused(
      folder_.file("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nHello\n\n2\n00:00:01,000 --> 00:00:02,000\nHi\n"),
      Code::not_a_video, "looks like");
  expect_refused(folder_.file("a.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"), Code::not_a_video, "looks like");
}

TEST_P(Containers, LimitsHoldInEach) {
  for (const auto& [name, arguments] : clips()) {
    const auto clip = folder_.clip(name, arguments);
    expect_refused(clip, Code::too_large, "media.max_pixels", {.max_pixels = 160 * 120 - 1});
    expect_refused(clip, Code::too_large, "media.max_duration", {.max_duration = 0.5});
    expect_refused(clip, Code::timeout, "media.max_decode_seconds", {.max_decode_seconds = 0});
  }
}

TEST_P(Containers, DamageNeverCrashes) {
  std::mt19937 random(17);
  for (const auto& [name, arguments] : clips()) {
    const std::string good = test::content_of(folder_.clip(name, arguments));
    for (int round = 0; round < 24; ++round) {
      std::string bad = good;
      const std::size_t reach = round % 2 == 0 ? std::min<std::size_t>(bad.size(), 1500) : bad.size();
      for (int i = 0; i < 8; ++i) bad[random() % reach] = static_cast<char>(random());
      if (round % 5 == 0) bad.resize(bad.size() / 2);
      auto decoder =
          GetParam().open(folder_.file("bad_" + name, bad), {.max_pixels = 1 << 20, .max_decode_seconds = 5});
      if (!decoder) {
        EXPECT_EQ(decoder.error().message.find("system call"), std::string::npos) << decoder.error().message;
        continue;
      }
      const auto got = (*decoder)->frames_at(std::vector<double>{0.0, 0.5}, {.short_side = 32});
      if (got) {
        EXPECT_EQ(got->count, 2);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Media, Containers, testing::ValuesIn(test::implementations()),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace reeltag::media

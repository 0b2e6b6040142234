#include <gtest/gtest.h>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder;

// A soft, colored picture that changes with t.
Frames moving(int count, int width, int height) {
  Frames f{.count = count, .height = height, .width = width, .data = {}, .times = {}};
  for (int t = 0; t < count; ++t)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (const int v : {x * 255 / width, y * 255 / height, t * 255 / count})
          f.data.push_back(static_cast<std::uint8_t>(v));
  return f;
}

TEST(EncodeJpeg, IsReadBackByFfmpeg) {
  const Folder folder;
  for (const auto& [width, height] : {std::pair{64, 48}, {33, 21}, {1, 1}}) {
    const Frames f = moving(2, width, height);
    const auto jpeg = encode_jpeg(f.frame(1), width, height, 2);
    ASSERT_TRUE(jpeg) << jpeg.error().message;
    EXPECT_EQ(jpeg->substr(0, 2), "\xff\xd8");
    const auto back = test::content_of(
        folder.clip("x.rgb", "-i " + folder.file("x.jpg", *jpeg).string() + " -pix_fmt rgb24 -f rawvideo"));
    ASSERT_EQ(back.size(), f.frame_bytes());
    const std::vector<std::uint8_t> got(back.begin(), back.end());
    EXPECT_LT(test::difference(f.frame(1), got), 4.0) << width << "x" << height;
  }
}

TEST(EncodeJpeg, LowerQualityIsSmaller) {
  const Frames f = moving(1, 200, 100);
  EXPECT_LT(encode_jpeg(f.data, 200, 100, 31)->size(), encode_jpeg(f.data, 200, 100, 2)->size());
  EXPECT_EQ(*encode_jpeg(f.data, 200, 100, 5), *encode_jpeg(f.data, 200, 100, 5));
}

TEST(EncodeJpeg, RefusesWhatDoesNotFit) {
  const std::vector<std::uint8_t> pixels(12);
  for (const auto& got : {encode_jpeg(pixels, 3, 2), encode_jpeg(pixels, 0, 0), encode_jpeg(pixels, -2, -2),
                          encode_jpeg(pixels, 2, 2, 1), encode_jpeg(pixels, 2, 2, 32)}) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::invalid_argument);
  }
}

TEST(Resize, IsWhatTheDecoderWouldHaveGiven) {
  const Folder folder;
  ASSERT_TRUE(encode_mp4(moving(6, 320, 192), 8, folder / "a.mp4"));
  auto decoder = Decoder::open(folder / "a.mp4", {});
  ASSERT_TRUE(decoder);
  const std::vector<double> times{0.0, 0.3, 0.6};
  const auto large = (*decoder)->frames_at(times, {});
  const auto small = (*decoder)->frames_at(times, {.short_side = 48});
  const auto resized = resize(*large, {.short_side = 48});
  ASSERT_TRUE(resized) << resized.error().message;
  EXPECT_EQ(resized->count, 3);
  EXPECT_EQ(resized->width, 80);
  EXPECT_EQ(resized->times, small->times);
  for (int t = 0; t < 3; ++t) EXPECT_LT(test::difference(resized->frame(t), small->frame(t)), 1.5) << t;
  EXPECT_EQ(resize(*large, {.short_side = -1}).error().code, Code::invalid_argument);
}

TEST(EncodeMp4, ComesBackAsItWas) {
  const Folder folder;
  const Frames f = moving(20, 96, 64);
  ASSERT_TRUE(encode_mp4(f, 30000.0 / 1001, folder / "a.mp4"));
  auto decoder = Decoder::open(folder / "a.mp4", {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_EQ((*decoder)->probe().codec, "h264");
  EXPECT_NEAR((*decoder)->probe().fps, 29.97, 0.001);
  EXPECT_NEAR((*decoder)->probe().duration, 20 * 1001.0 / 30000, 0.001);
  const auto times = (*decoder)->frame_times();
  ASSERT_TRUE(times);
  ASSERT_EQ(times->size(), 20U);
  EXPECT_NEAR((*times)[7], 7 * 1001.0 / 30000, 1e-4);
  const auto back = (*decoder)->frames_at(*times, {});
  ASSERT_TRUE(back);
  for (int t = 0; t < 20; ++t) EXPECT_LT(test::difference(f.frame(t), back->frame(t)), 3.0) << t;
}

TEST(EncodeMp4, SameFramesSameBytes) {
  const Folder folder;
  const Frames f = moving(12, 160, 120);
  ASSERT_TRUE(encode_mp4(f, 8, folder / "a.mp4"));
  ASSERT_TRUE(encode_mp4(f, 8, folder / "b.mp4"));
  EXPECT_EQ(test::content_of(folder / "a.mp4"), test::content_of(folder / "b.mp4"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.mp4.part"));
}

TEST(EncodeMp4, RefusesWhatDoesNotFit) {
  const Folder folder;
  const auto code = [](const Result<void>& r) { return static_cast<int>(r ? Code::internal : r.error().code); };
  const int wrong = static_cast<int>(Code::invalid_argument);
  EXPECT_EQ(code(encode_mp4(moving(2, 15, 16), 10, folder / "a.mp4")), wrong);
  EXPECT_EQ(code(encode_mp4(moving(0, 16, 16), 10, folder / "a.mp4")), wrong);
  EXPECT_EQ(code(encode_mp4(moving(2, 16, 16), 0, folder / "a.mp4")), wrong);
  Frames torn = moving(2, 16, 16);
  torn.data.pop_back();
  EXPECT_EQ(code(encode_mp4(torn, 10, folder / "a.mp4")), wrong);
  const auto nowhere = encode_mp4(moving(2, 16, 16), 10, folder / "no/such/a.mp4");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("a.mp4"), std::string::npos);
}

}  // namespace
}  // namespace reeltag::media

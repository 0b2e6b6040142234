// Files that are not videos, broken files, and files over a limit: each with its code and message.
#include <gtest/gtest.h>

#include <random>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

const std::string kClip = "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -g 25 -pix_fmt yuv420p ";

class BadInput : public testing::TestWithParam<Implementation> {
 protected:
  // Opening must fail with the code and a message that contains the file's name and the words.
  void expect_refused(const std::filesystem::path& path, Code code, const std::string& words,
                      const Limits& limits = {}) {
    testing::internal::CaptureStderr();
    const auto got = GetParam().open(path, limits);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "libraries never print";
    ASSERT_FALSE(got) << path;
    expect_error(got.error(), path, code, words);
  }
  void expect_undecodable(const std::filesystem::path& path, double time, Code code, const std::string& words,
                          const Limits& limits = {}) {
    testing::internal::CaptureStderr();
    auto decoder = GetParam().open(path, limits);
    ASSERT_TRUE(decoder) << decoder.error().message;
    const auto got = (*decoder)->frames_at(std::vector<double>{time}, {});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "libraries never print";
    ASSERT_FALSE(got) << path;
    expect_error(got.error(), path, code, words);
  }
  void expect_frame(const std::filesystem::path& path, double time) {
    auto decoder = GetParam().open(path, {});
    ASSERT_TRUE(decoder) << decoder.error().message;
    const auto got = (*decoder)->frames_at(std::vector<double>{time}, {});
    EXPECT_TRUE(got) << got.error().message;
  }
  static void expect_error(const Error& error, const std::filesystem::path& path, Code code, const std::string& words) {
    EXPECT_EQ(static_cast<int>(error.code), static_cast<int>(code)) << error.message;
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(path.filename().string()), std::string::npos) << error.message;
  }
  [[nodiscard]] std::filesystem::path cut(const std::filesystem::path& clip, double share) const {
    const std::string all = test::content_of(clip);
    return folder_.file("cut_" + clip.filename().string(), all.substr(0, static_cast<std::size_t>(all.size() * share)));
  }

  Folder folder_;
};

TEST_P(BadInput, WhatIsNoVideoIsRefusedWithTheReason) {
  std::string noise(200'000, '\0');
  std::mt19937 random(7);
  for (char& c : noise) c = static_cast<char>(random());
  expect_refused(folder_ / "none.mp4", Code::not_found, "no such file");
  expect_refused(folder_.file("text.mp4", "Dear diary,\nnothing moved today.\n"), Code::not_a_video, "not a video");
  expect_refused(folder_.file("empty.mp4", ""), Code::not_a_video, "is empty");
  expect_refused(folder_.file("noise.mp4", noise), Code::not_a_video, "not a video");
  expect_refused(folder_.file("byte.mp4", "x"), Code::not_a_video, "not a video");
  std::filesystem::create_directory(folder_ / "folder.mp4");
  expect_refused(folder_ / "folder.mp4", Code::not_a_video, "not a regular file");
  folder_.clip("still.png", "-f lavfi -i testsrc2=d=1 -frames:v 1");
  expect_refused(folder_.file("still.mp4", test::content_of(folder_ / "still.png")), Code::not_a_video, "looks like");
  expect_refused(folder_.clip("sound.mp4", "-f lavfi -i sine=d=1 -c:a aac"), Code::not_a_video,
                 "holds no video stream");
}

// A playlist would make libav open the files and addresses in it.
TEST_P(BadInput, PlaylistsAreNotFollowed) {
  folder_.clip("part.ts", kClip);
  const std::string hls = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\npart.ts\n#EXT-X-ENDLIST\n";
  expect_refused(folder_.file("list.mp4", hls), Code::not_a_video, "not a video");
  expect_refused(folder_.file("concat.mp4", "ffconcat version 1.0\nfile part.ts\n"), Code::not_a_video, "not a video");
}

TEST_P(BadInput, AFileWithoutItsIndexIsRefused) {
  expect_refused(cut(folder_.clip("end.mp4", kClip), 0.8), Code::not_a_video, "moov atom not found");
}

TEST_P(BadInput, ACutFileGivesWhatItHoldsAndNamesWhatItLacks) {
  for (const auto& clip : {folder_.clip("first.mp4", kClip + "-movflags faststart"), folder_.clip("a.mkv", kClip),
                           folder_.clip("a.webm",
                                        "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libvpx -b:v 300k -g 25 "
                                        "-deadline realtime -cpu-used 8")}) {
    const auto half = cut(clip, 0.5);
    expect_frame(half, 0.4);
    expect_undecodable(half, 3.6, Code::decode_failed, "breaks off after");
    expect_frame(cut(clip, 0.98), 4.0);  // so little is missing that the last frame replaces it
  }
}

TEST_P(BadInput, SoundThatOutlastsThePictureIsNoCut) {
  expect_frame(folder_.clip("long_sound.mp4", "-f lavfi -i sine=d=9 " + kClip + "-c:a aac"), 8.0);
  expect_frame(folder_.clip("long_sound.mkv", "-f lavfi -i sine=d=9 " + kClip + "-c:a aac"), 8.0);
}

TEST_P(BadInput, DamagedBytesNeverGiveTheWrongNumberOfFrames) {
  const std::string good = test::content_of(folder_.clip("good.mp4", kClip + "-bf 2 -movflags faststart"));
  const std::size_t data = good.find("mdat");
  std::mt19937 random(3);
  for (int round = 0; round < 6; ++round) {
    std::string bad = good;
    for (int i = 0; i < 40 << round; ++i)
      bad[data + 8 + random() % (bad.size() - data - 8)] = static_cast<char>(random());
    auto decoder = GetParam().open(folder_.file("bad.mp4", bad), {});
    if (!decoder) continue;
    const auto got = (*decoder)->frames_at(std::vector<double>{0.0, 1.7, 3.9}, {});
    if (got) {
      EXPECT_EQ(got->data.size(), 3 * got->frame_bytes());
    } else {
      EXPECT_EQ(static_cast<int>(got.error().code), static_cast<int>(Code::decode_failed)) << got.error().message;
    }
  }
}

TEST_P(BadInput, DamagedHeadersNeverCrash) {
  std::mt19937 random(11);
  for (const std::string name : {"h.mp4", "h.mkv", "h.avi", "h.gif"}) {
    const std::string codec = name == "h.gif" ? " " : "-c:v mpeg4 ";
    const std::string good = test::content_of(folder_.clip(name, "-f lavfi -i testsrc2=s=64x48:r=10:d=1 " + codec));
    for (int round = 0; round < 60; ++round) {
      std::string bad = good;
      for (int i = 0; i < 8; ++i) bad[random() % std::min<std::size_t>(bad.size(), 1500)] = static_cast<char>(random());
      auto decoder =
          GetParam().open(folder_.file("bad_" + name, bad), {.max_pixels = 1 << 20, .max_decode_seconds = 5});
      if (!decoder) continue;
      const auto got = (*decoder)->frames_at(std::vector<double>{0.0, 0.5}, {.short_side = 32});
      if (got) {
        EXPECT_EQ(got->count, 2);
      }
    }
  }
}

TEST_P(BadInput, LimitsNameTheValueAndTheirKey) {
  const auto clip = folder_.clip("a.mp4", kClip);
  const std::string bytes = std::to_string(std::filesystem::file_size(clip));
  expect_refused(clip, Code::too_large, "has " + bytes + " bytes, the limit media.max_bytes is 1000",
                 {.max_bytes = 1000});
  expect_refused(clip, Code::too_large, "has 160x120 pixels a frame, the limit media.max_pixels is 19199",
                 {.max_pixels = 19199});
  expect_refused(clip, Code::too_large, "lasts 4 s, the limit media.max_duration is 3.5 s", {.max_duration = 3.5});
  expect_refused(clip, Code::timeout, "media.max_decode_seconds", {.max_decode_seconds = 0});
  auto decoder = GetParam().open(clip, {.max_pixels = 160 * 120});
  ASSERT_TRUE(decoder);
  const auto grown = (*decoder)->frames_at(std::vector<double>{0.0}, {.short_side = 121});
  ASSERT_FALSE(grown);
  expect_error(grown.error(), clip, Code::too_large, "media.max_pixels");
}

TEST_P(BadInput, DecodingEndsAtItsDeadline) {
  const auto clip =
      folder_.clip("slow.mp4", "-f lavfi -i testsrc2=s=1280x720:r=30:d=8 -c:v libx264 -preset ultrafast -g 999");
  expect_undecodable(clip, 7.9, Code::timeout, "took longer than 0.05 s; raise media.max_decode_seconds",
                     {.max_decode_seconds = 0.05});
}

// A header may declare small pictures while the stream contains large ones.
TEST_P(BadInput, TheStreamItselfIsMeasuredToo) {
  std::string bytes = test::content_of(folder_.clip("a.mp4", kClip));
  const std::size_t entry = bytes.find("avc1", bytes.find("stsd")) + 4 + 24;  // width and height of the sample entry
  ASSERT_EQ(bytes.substr(entry, 4), std::string("\0\xa0\0\x78", 4));
  bytes[entry + 1] = bytes[entry + 3] = 16;
  expect_refused(folder_.file("lie.mp4", bytes), Code::too_large, "media.max_pixels", {.max_pixels = 1000});
}

TEST_P(BadInput, DurationIsMeasuredToo) {
  folder_.run("ffmpeg -nostdin -v error " + kClip + "-f matroska - > live.mkv");  // a header without a duration
  expect_refused(folder_ / "live.mkv", Code::too_large, "media.max_duration", {.max_duration = 2});
}

INSTANTIATE_TEST_SUITE_P(Media, BadInput, testing::ValuesIn(test::implementations()),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace reeltag::media

// Recordings joined byte by byte, each with its own clock: one timeline over all of the file, and true frames on it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

constexpr double kFrame = 0.04;  // seconds

// Parts of a joined file, as arguments for ffmpeg. All have 25 frames a second.
struct Joined {
  std::string name;  // of the file
  std::vector<std::string> parts;
  int lost = 0;  // frames at the end of each part but the last that libav and its parser give too late
};
void PrintTo(const Joined& j, std::ostream* out) { *out << j.name; }

// Every part shows another picture, so that a frame of the wrong part is noticed.
std::string picture(const std::string& filter, double seconds = 1.2) {
  return "-f lavfi -i \"testsrc2=s=160x120:r=25:d=" + std::to_string(seconds) + filter + "\" ";
}
const std::string kA = picture(""), kB = picture(",negate"), kC = picture(",hflip", 0.8);
const std::string kX264 = "-c:v libx264 -crf 18 -pix_fmt yuv420p -bf 2 -g 10 ";
const std::string kLongerSound = "-f lavfi -i sine=d=1.5 -c:a mp2 ";
const std::string kBeforeWrap = "-output_ts_offset 95441.8 ";  // 33 bits at 90 kHz end at 95443.72 s; ffmpeg adds 1.4 s

std::vector<Joined> joined() {
  return {
      {"two.ts", {kA + kX264, kB + kX264}},
      {"three.ts", {kA + kX264, kB + kX264, kC + kX264}},
      {"five.ts", {kA + kX264, kC + kX264, kB + kX264, kC + kX264, kA + kX264}},
      {"no_b.ts", {kA + kX264 + "-bf 0", kB + kX264 + "-bf 0"}},
      {"mpeg2.ts", {kA + "-c:v mpeg2video -q:v 3 -bf 2", kB + "-c:v mpeg2video -q:v 3 -bf 2"}},
      {"hevc.ts",
       {kA + "-c:v libx265 -x265-params log-level=none:keyint=12 -pix_fmt yuv420p",
        kB + "-c:v libx265 -x265-params log-level=none:keyint=12 -pix_fmt yuv420p"}},
      {"camera.mts", {kA + kX264 + "-mpegts_m2ts_mode 1", kB + kX264 + "-mpegts_m2ts_mode 1"}},
      {"other_ids.ts", {kA + kX264 + "-bf 0", kB + kX264 + "-bf 0 -streamid 0:777"}, 2},
      {"ids_and_back.ts",
       {kA + kX264 + "-bf 0", kB + kX264 + "-bf 0 -streamid 0:777 -output_ts_offset 30", kC + kX264 + "-bf 0"},
       2},
      {"ids_and_sound.ts",
       {kLongerSound + kA + kX264 + "-bf 0 -streamid 0:300 -streamid 1:301", kLongerSound + kB + kX264 + "-bf 0",
        kLongerSound + kC + kX264 + "-bf 0 -streamid 0:400 -streamid 1:401"},
       2},
      {"sound.ts", {kLongerSound + kA + kX264, kLongerSound + kB + kX264}},
      {"hours_later.ts", {kA + kX264, kB + kX264 + "-output_ts_offset 18000"}},
      {"hours_earlier.ts", {kA + kX264 + "-output_ts_offset 18000", kB + kX264, kC + kX264 + "-output_ts_offset 70"}},
      {"wraps_first.ts", {kA + kX264 + kBeforeWrap, kB + kX264 + "-output_ts_offset 60"}},
      {"wraps_second.ts", {kA + kX264, kB + kX264 + kBeforeWrap, kC + kX264 + "-output_ts_offset 60"}},
      {"wraps_alone.ts", {kA + kX264 + kBeforeWrap}},
      {"two.flv", {kA + kX264, kB + kX264}},
      {"three.flv", {kA + kX264, kB + kX264, kC + kX264}},
      {"sound.flv", {"-f lavfi -i sine=d=1.5 -c:a aac " + kA + kX264, "-f lavfi -i sine=d=1.5 -c:a aac " + kB + kX264}},
      {"sorenson.flv", {kA + "-c:v flv -q:v 3", kB + "-c:v flv -q:v 3"}},
      {"two.h264", {kA + kX264, kB + kX264}},
      {"two.m2v", {kA + "-c:v mpeg2video -q:v 3 -bf 2", kB + "-c:v mpeg2video -q:v 3 -bf 2"}},
      {"two.mpg", {kA + "-c:v mpeg2video -q:v 3 -bf 2", kB + "-c:v mpeg2video -q:v 3 -bf 2"}},
      {"three.vob",
       {kA + "-c:v mpeg2video -q:v 3 -g 9", kB + "-c:v mpeg2video -q:v 3 -g 9", kC + "-c:v mpeg2video -q:v 3 -g 9"}},
      {"h264.mpg", {kA + kX264, kB + kX264}},
      {"sound.mpg",
       {kLongerSound + kA + "-c:v mpeg1video -q:v 3 -bf 2", kLongerSound + kB + "-c:v mpeg1video -q:v 3 -bf 2"}},
      {"hours_later.mpg",
       {kA + "-c:v mpeg2video -q:v 3", kB + "-c:v mpeg2video -q:v 3 -output_ts_offset 9000 -muxpreload 0"}},
  };
}

class Restart : public testing::TestWithParam<std::tuple<Implementation, Joined>> {
 protected:
  // Joins the parts byte by byte and returns their frames, one after the other, as the ffmpeg program decodes them.
  Frames join(const Joined& file) {
    Frames all;
    std::string names;
    for (std::size_t i = 0; i < file.parts.size(); ++i) {
      const std::string name = std::to_string(i) + "_" + file.name;
      Frames part = test::ffmpeg_frames(folder_, folder_.clip(name, file.parts[i]));
      if (i + 1 < file.parts.size()) part.count -= file.lost;
      part.data.resize(part.frame_bytes() * static_cast<std::size_t>(part.count));
      all.count += part.count;
      all.width = part.width;
      all.height = part.height;
      all.data.insert(all.data.end(), part.data.begin(), part.data.end());
      names += " " + name;
    }
    for (int k = 0; k < all.count; ++k) all.times.push_back(k * kFrame);
    folder_.run("cat" + names + " > " + file.name);
    return all;
  }

  Folder folder_;
};

TEST_P(Restart, IsOneTimelineOverAllParts) {
  const auto& [implementation, file] = GetParam();
  const Frames reference = join(file);
  auto decoder = implementation.open(folder_ / file.name, {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_NEAR((*decoder)->probe().duration, reference.count * kFrame, 0.1);
  EXPECT_NEAR((*decoder)->probe().fps, 25.0, 1.0);

  const auto times = (*decoder)->frame_times();
  ASSERT_TRUE(times) << times.error().message;
  ASSERT_EQ(static_cast<int>(times->size()), reference.count);
  EXPECT_TRUE(std::is_sorted(times->begin(), times->end()));
  for (int k = 0; k < reference.count; ++k) EXPECT_NEAR((*times)[k], reference.times[k], 0.0011) << k;

  // All frames, then some of the last part, of the first, and both ends, in turn: the file is read again for each.
  const double last = times->back();
  for (const std::vector<double>& asked :
       std::vector<std::vector<double>>{*times, {last - 0.3, last}, {0.12}, {0.0, last, 99.0}, {1.24, 1.16}}) {
    const auto got = (*decoder)->frames_at(asked, {});
    ASSERT_TRUE(got) << got.error().message;
    for (int i = 0; i < got->count; ++i) {
      const int want = std::clamp(static_cast<int>(asked[i] / kFrame + 0.01), 0, reference.count - 1);
      EXPECT_NEAR(got->times[i], reference.times[want], 0.0011) << "asked for " << asked[i];
      EXPECT_LT(test::difference(reference.frame(want), got->frame(i)), 0.5) << "asked for " << asked[i];
    }
  }
}

class RestartLimits : public testing::TestWithParam<Implementation> {
 protected:
  Folder folder_;
};

TEST_P(RestartLimits, TheWholeTimelineIsMeasured) {
  folder_.clip("part.ts", kA + kX264);
  folder_.run("cat part.ts part.ts part.ts > three.ts");
  const auto refused = GetParam().open(folder_ / "three.ts", {.max_duration = 3.0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
  EXPECT_NE(refused.error().message.find("lasts 3.60 s, the limit media.max_duration is"), std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(GetParam().open(folder_ / "three.ts", {.max_duration = 3.7}));
}

TEST_P(RestartLimits, APauseOfTheRecordingIsPartOfIt) {
  folder_.clip("a.ts", kA + kX264);
  folder_.clip("b.ts", kB + kX264 + "-output_ts_offset 5");
  folder_.run("cat a.ts b.ts > pause.ts");
  auto decoder = GetParam().open(folder_ / "pause.ts", {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_NEAR((*decoder)->probe().duration, 6.2, 0.1);
  const auto got = (*decoder)->frames_at(std::vector<double>{3.0, 5.5}, {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_NEAR(got->times[0], 1.16, 0.01);
  EXPECT_NEAR(got->times[1], 5.48, 0.01);
}

TEST_P(RestartLimits, AProgramBesideTheVideoIsNoPartOfIt) {
  const auto clip = folder_.clip("two_programs.ts", kA + kB + kX264 + "-map 0 -map 1");
  auto decoder = GetParam().open(clip, {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_NEAR((*decoder)->probe().duration, 1.2, 0.05);
  const auto times = (*decoder)->frame_times();
  ASSERT_TRUE(times);
  EXPECT_EQ(times->size(), 30U);
}

TEST_P(RestartLimits, ACutLastPartGivesWhatItHolds) {
  const std::string part = test::content_of(folder_.clip("part.ts", kA + kX264));
  auto decoder = GetParam().open(folder_.file("cut.ts", part + part.substr(0, part.size() / 2)), {});
  ASSERT_TRUE(decoder) << decoder.error().message;
  const double duration = (*decoder)->probe().duration;
  EXPECT_GT(duration, 1.4);
  EXPECT_LT(duration, 2.2);
  EXPECT_TRUE((*decoder)->frames_at(std::vector<double>{0.5, duration - 0.2}, {}));
}

TEST_P(RestartLimits, DamagedPartsNeverCrash) {
  std::mt19937 random(5);
  for (const std::string kind : {"ts", "mpg", "flv"}) {
    const std::string codec = kind == "mpg" ? "-c:v mpeg2video" : kX264;
    const std::string part = test::content_of(folder_.clip("part." + kind, kA + codec));
    for (int round = 0; round < 20; ++round) {
      std::string bad = part + part + part;
      for (int i = 0; i < 30; ++i) bad[random() % bad.size()] = static_cast<char>(random());
      if (round % 3 == 0) bad.erase(part.size() / 3, random() % part.size());
      auto decoder = GetParam().open(folder_.file("bad." + kind, bad), {.max_decode_seconds = 5});
      if (!decoder) continue;
      const auto got = (*decoder)->frames_at(std::vector<double>{0.0, 1.7, 3.2}, {.short_side = 32});
      if (got) {
        EXPECT_EQ(got->data.size(), 3 * got->frame_bytes());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Media, RestartLimits, testing::ValuesIn(test::implementations()),
                         [](const auto& p) { return p.param.name; });

INSTANTIATE_TEST_SUITE_P(Media, Restart,
                         testing::Combine(testing::ValuesIn(test::implementations()), testing::ValuesIn(joined())),
                         [](const auto& p) {
                           std::string name = std::get<0>(p.param).name + "_" + std::get<1>(p.param).name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace reeltag::media

// Encodes known colors by the equations of the standards, written out here, and expects them back after decoding.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder, test::Implementation;

using Rgb = std::array<double, 3>;  // signal, 0 to 1

const std::vector<Rgb> kPatches = {{0, 0, 0}, {1, 1, 1},       {0.5, 0.5, 0.5}, {1, 0, 0},       {0, 1, 0},
                                   {0, 0, 1}, {0.8, 0.2, 0.4}, {0.1, 0.7, 0.6}, {0.9, 0.8, 0.1}, {0.05, 0.1, 0.2}};
constexpr int kSide = 32;  // of a patch, pixels

struct Signal {
  std::string name;
  double kr, kb;  // ITU-R BT.601, BT.709, BT.2020: luma = kr R + (1 - kr - kb) G + kb B
  bool full_range;
  int bits;
  std::string format, tags;  // for ffmpeg
  int height = 0;            // of the picture; 0: just the patches
};
void PrintTo(const Signal& s, std::ostream* out) { *out << s.name; }

int code(double value, double scale, double offset, int bits) {
  const int most = (1 << bits) - 1;
  return std::clamp(static_cast<int>(std::lround(value * scale + offset)), 0, most);
}

// The code values of Y', Cb, Cr. Source: ITU-R BT.601-7 2.5, BT.709-6 item 3, BT.2020-2 table 4.
std::array<int, 3> yuv(const Rgb& c, const Signal& s) {
  const double y = s.kr * c[0] + (1 - s.kr - s.kb) * c[1] + s.kb * c[2];
  const double cb = (c[2] - y) / (2 * (1 - s.kb)), cr = (c[0] - y) / (2 * (1 - s.kr));
  const double unit = 1 << (s.bits - 8), most = (1 << s.bits) - 1, middle = 128 * unit;
  if (s.full_range) return {code(y, most, 0, s.bits), code(cb, most, middle, s.bits), code(cr, most, middle, s.bits)};
  return {code(y, 219 * unit, 16 * unit, s.bits), code(cb, 224 * unit, middle, s.bits),
          code(cr, 224 * unit, middle, s.bits)};
}

// Writes a row of patches (repeated to the height) as a raw planar clip of two frames, losslessly encoded.
std::filesystem::path patches(const Folder& folder, const std::vector<Rgb>& colors, const Signal& s,
                              const std::string& codec) {
  const int width = kSide * static_cast<int>(colors.size()), height = s.height > 0 ? s.height : kSide;
  std::string raw;
  for (int frame = 0; frame < 2; ++frame)
    for (int plane = 0; plane < 3; ++plane) {
      const bool half = plane > 0 && s.format.find("420") != std::string::npos;
      for (int y = 0; y < (half ? height / 2 : height); ++y)
        for (int x = 0; x < (half ? width / 2 : width); ++x) {
          const int value = yuv(colors[static_cast<std::size_t>((half ? 2 * x : x) / kSide)], s)[plane];
          raw.push_back(static_cast<char>(value & 255));
          if (s.bits > 8) raw.push_back(static_cast<char>(value >> 8));
        }
    }
  folder.file("patches.yuv", raw);
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  return folder.clip("patches.mkv", "-f rawvideo -pix_fmt " + s.format + " -s " + size + " -r 5 -i patches.yuv " +
                                        codec + " -color_range " + (s.full_range ? "pc " : "tv ") + s.tags);
}

// Mean of the inner half of patch i of a picture of n patches.
Rgb seen(const Frames& f, int i, int n) {
  const int side = f.width / n;
  Rgb sum{};
  int count = 0;
  for (int y = f.height / 4; y < f.height * 3 / 4; ++y)
    for (int x = i * side + side / 4; x < i * side + side * 3 / 4; ++x, ++count)
      for (int c = 0; c < 3; ++c) sum[c] += f.frame(0)[(static_cast<std::size_t>(y) * f.width + x) * 3 + c];
  for (double& v : sum) v /= count;
  return sum;
}

class Color : public testing::TestWithParam<std::tuple<Implementation, Signal>> {
 protected:
  static Frames first_frame(const std::filesystem::path& clip, const Scale& scale) {
    auto decoder = std::get<0>(GetParam()).open(clip, {});
    if (!decoder) throw Exception(decoder.error());
    return value_or_throw((*decoder)->frames_at(std::vector<double>{0.0}, scale));
  }
  Folder folder_;
};

TEST_P(Color, PatchesComeBack) {
  const Signal& s = std::get<1>(GetParam());
  for (const std::string codec : {"-c:v ffv1", "-c:v libx264 -qp 0"}) {
    const auto clip = patches(folder_, kPatches, s, codec);
    for (const Scale& scale : {Scale{}, Scale{.short_side = s.height > 0 ? s.height / 2 : 24}}) {
      const Frames f = first_frame(clip, scale);
      for (int i = 0; i < static_cast<int>(kPatches.size()); ++i)
        for (int c = 0; c < 3; ++c)
          EXPECT_NEAR(seen(f, i, static_cast<int>(kPatches.size()))[c], 255 * kPatches[i][c], 3.0)
              << codec << ", patch " << i << ", channel " << c << ", width " << f.width;
    }
  }
}

const std::string kTags601 = "-colorspace smpte170m", kTags709 = "-colorspace bt709",
                  kTags2020 = "-colorspace bt2020nc -color_primaries bt2020 -color_trc bt2020-10";
INSTANTIATE_TEST_SUITE_P(
    All, Color,
    testing::Combine(testing::ValuesIn(test::implementations()),
                     testing::Values(Signal{"Limited601", 0.299, 0.114, false, 8, "yuv420p", kTags601},
                                     Signal{"Full601", 0.299, 0.114, true, 8, "yuv420p", kTags601},
                                     Signal{"Limited709", 0.2126, 0.0722, false, 8, "yuv420p", kTags709},
                                     Signal{"Full709", 0.2126, 0.0722, true, 8, "yuv420p", kTags709},
                                     Signal{"Limited709At444", 0.2126, 0.0722, false, 8, "yuv444p", kTags709},
                                     Signal{"Limited2020", 0.2627, 0.0593, false, 8, "yuv420p", kTags2020},
                                     Signal{"Full2020", 0.2627, 0.0593, true, 8, "yuv420p", kTags2020},
                                     Signal{"Limited2020Ten", 0.2627, 0.0593, false, 10, "yuv420p10le", kTags2020},
                                     Signal{"Full2020Ten", 0.2627, 0.0593, true, 10, "yuv420p10le", kTags2020},
                                     Signal{"Limited709Ten", 0.2126, 0.0722, false, 10, "yuv420p10le", kTags709},
                                     Signal{"UnknownBelow720Is601", 0.299, 0.114, false, 8, "yuv420p", "", 718},
                                     Signal{"UnknownFrom720Is709", 0.2126, 0.0722, false, 8, "yuv420p", "", 720})),
    [](const auto& p) { return std::get<0>(p.param).name + "_" + std::get<1>(p.param).name; });

// PQ signal of a luminance in cd/m2. Source: SMPTE ST 2084 equation 5.2.
double pq(double nits) {
  const double y = std::pow(nits / 10000, 0.1593017578125);
  return std::pow((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y), 78.84375);
}
Rgb gray(double v) { return {v, v, v}; }

class HighDynamicRange : public testing::TestWithParam<Implementation> {
 protected:
  std::vector<Rgb> decoded(const std::vector<Rgb>& colors, const std::string& transfer) {
    const Signal s{transfer,
                   0.2627,
                   0.0593,
                   false,
                   10,
                   "yuv420p10le",
                   "-colorspace bt2020nc -color_primaries bt2020 -color_trc " + transfer};
    const auto clip = patches(folder_, colors, s, "-c:v libx264 -qp 0");
    auto decoder = value_or_throw(GetParam().open(clip, {}));
    const Frames f = value_or_throw(decoder->frames_at(std::vector<double>{0.0}, {}));
    std::vector<Rgb> result;
    for (int i = 0; i < static_cast<int>(colors.size()); ++i)
      result.push_back(seen(f, i, static_cast<int>(colors.size())));
    return result;
  }
  Folder folder_;
};

TEST_P(HighDynamicRange, PqShadowsKeepTheirLightAndHighlightsAreRolledOff) {
  const std::vector<double> nits = {0, 1, 5, 20, 60, 100, 203, 400, 700, 1000, 4000};
  std::vector<Rgb> colors;
  for (const double n : nits) colors.push_back(gray(pq(n)));
  const auto got = decoded(colors, "smpte2084");
  for (std::size_t i = 0; i < nits.size(); ++i) {
    EXPECT_NEAR(got[i][0], got[i][1], 1.5);  // grey stays grey
    EXPECT_NEAR(got[i][2], got[i][1], 1.5);
    if (i > 0) {
      EXPECT_GE(got[i][1], got[i - 1][1]);
    }
    // Below the knee of BT.2390 a 203 cd/m2 display with gamma 2.4 shows the luminance of the signal.
    if (nits[i] <= 60) {
      EXPECT_NEAR(got[i][1], 255 * std::pow(nits[i] / 203, 1 / 2.4), 3) << nits[i];
    }
  }
  EXPECT_GT(got[6][1], 180);  // paper white stays bright
  EXPECT_LT(got[6][1], 235);  // and leaves room for highlights
  EXPECT_NEAR(got[9][1], 255, 1);
  EXPECT_NEAR(got[10][1], 255, 1);
}

TEST_P(HighDynamicRange, HlgAgreesWithPq) {
  // 75 % HLG is reference white, 203 cd/m2 on the nominal display (BT.2408 table 1); 38 % is 26 cd/m2 (18 % grey).
  const auto hlg = decoded({gray(0.75), gray(0.38), gray(0), gray(1)}, "arib-std-b67");
  const auto as_pq = decoded({gray(pq(203)), gray(pq(26)), gray(0), gray(pq(1000))}, "smpte2084");
  for (std::size_t i = 0; i < hlg.size(); ++i) EXPECT_NEAR(hlg[i][1], as_pq[i][1], 3) << i;
}

TEST_P(HighDynamicRange, Bt709ColorsInsideBt2020ComeBackPure) {
  // 30 cd/m2 of each BT.709 primary, in BT.2020 light. Source: ITU-R BT.2087 table 1.
  const auto primary = [](double r, double g, double b) { return Rgb{pq(30 * r), pq(30 * g), pq(30 * b)}; };
  const auto got = decoded(
      {primary(0.6274, 0.0691, 0.0164), primary(0.3293, 0.9195, 0.0880), primary(0.0433, 0.0114, 0.8956)}, "smpte2084");
  const double want = 255 * std::pow(30.0 / 203, 1 / 2.4);
  for (int i = 0; i < 3; ++i)
    for (int c = 0; c < 3; ++c) {
      if (c == i) {
        EXPECT_NEAR(got[i][c], want, 4) << i;
        continue;
      }
      EXPECT_LT(got[i][c], 20) << i << c;  // near black the 2.4 gamma magnifies the rounding of 10-bit codes
    }
}

INSTANTIATE_TEST_SUITE_P(Media, HighDynamicRange, testing::ValuesIn(test::implementations()),
                         [](const auto& p) { return p.param.name; });

}  // namespace
}  // namespace reeltag::media

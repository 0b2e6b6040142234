#include "reeltag/model/image_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <numeric>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/subprocess.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Sets an environment variable for a scope; nullptr unsets it.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const char* value) const { value != nullptr ? setenv(name_, value, 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> before_;
};

// One for all tests: it takes 0.2 s to load.
const ImageEncoder& image_encoder() {
  static const ImageEncoder only(find_image_encoder({}));
  return only;
}

using Rows = std::vector<float>;

const fs::path& golden_file() {
  static const fs::path file = fs::path(REELTAG_SOURCE_DIR) / "tests" / "goldens" / "image_encoder_lite0.safetensors";
  return file;
}
const Weights& golden() {
  static const Weights weights = read_weights(golden_file());
  return weights;
}
nlohmann::json golden_list(const std::string& name) {
  std::ifstream in(golden_file(), std::ios::binary);
  return nlohmann::json::parse(read_safetensors_header(in, golden_file()).metadata.at(name));
}

// The i-th of rows of a width.
Rows row(const Rows& rows, std::size_t i, std::size_t width = ImageEncoder::kFeatures) {
  const auto first = rows.begin() + static_cast<std::ptrdiff_t>(i * width);
  return {first, first + static_cast<std::ptrdiff_t>(width)};
}

double largest(const Rows& a, const Rows& b) {
  if (a.size() != b.size()) return 1e9;
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])));
  return most;
}

double cosine(const Rows& a, const Rows& b) {
  const auto dot = [](const Rows& x, const Rows& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

// The same pictures as draw() of tools/reference/image_encoder.py.
media::Frames drawn(std::uint32_t kind, int height, int width) {
  media::Frames f{.count = 1, .height = height, .width = width, .data = {}, .times = {0.0}};
  f.data.resize(f.frame_bytes());
  std::uint8_t* out = f.data.data();
  const std::int64_t radius = std::min(height, width);
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const auto x = static_cast<std::uint32_t>(column), y = static_cast<std::uint32_t>(row);
      const std::int64_t across = 2 * column - width, down = 2 * row - height;
      const bool inside = 4 * (across * across + down * down) < radius * radius;
      for (std::uint32_t c = 0; c < 3; ++c) {
        const std::uint32_t noise = ((x * 73856093U) ^ (y * 19349663U) ^ (c * 83492791U)) * 2654435761U >> 24;
        const std::uint32_t ramp = x * (c + 1) * (kind + 1) / 2 + y * (3 - c);
        const std::uint32_t value = (ramp + ((x / (8U << kind)) ^ (y / (8U << kind))) * 37 * kind) & 255U;
        *out++ = static_cast<std::uint8_t>(kind == 4 ? noise : inside ? 255 - value : value);
      }
    }
  }
  return f;
}

// [count,3,H,W], scaled as the encoder expects.
Rows image_of(const media::Frames& f) {
  Rows out;
  for (int t = 0; t < f.count; ++t) {
    const auto frame = f.frame(t);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t i = channel; i < frame.size(); i += 3) out.push_back((static_cast<float>(frame[i]) - 127) / 128);
    }
  }
  return out;
}

Rows golden_images() {
  Rows images;
  std::uint32_t kind = 0;
  for (const auto& size : golden_list("images")) {
    const Rows image = image_of(drawn(kind++, size[0], size[1]));
    images.insert(images.end(), image.begin(), image.end());
  }
  return images;
}

media::Frames repeated(const media::Frames& one, int count) {
  media::Frames f{.count = count, .height = one.height, .width = one.width, .data = {}, .times = {}};
  for (int t = 0; t < count; ++t) f.data.insert(f.data.end(), one.data.begin(), one.data.end());
  return f;
}

TEST(ImageEncoder, EqualsThePythonPackage) {
  const auto images = golden_images();
  const double features = largest(image_encoder().features(images), golden().at("images.features").values);
  const double logits = largest(image_encoder().logits(images), golden().at("images.logits").values);
  RecordProperty("max_abs_features", std::to_string(features));
  RecordProperty("max_abs_logits", std::to_string(logits));
  EXPECT_LE(features, 1e-4);
  EXPECT_LE(logits, 1e-4);
}

TEST(ImageEncoder, ShowsTheCentralSquareOfFramesOfAnyShape) {
  const auto sizes = golden_list("frames");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto got = image_encoder().features(drawn(static_cast<std::uint32_t>(i % 5), sizes[i][0], sizes[i][1]));
    const auto want = row(golden().at("frames.features").values, i);
    EXPECT_LE(largest(got, want), 1e-4) << sizes[i];
  }
}

TEST(ImageEncoder, TakesFramesThatNeedNoScalingAsTheyAre) {
  const auto frame = drawn(2, ImageEncoder::kSide, ImageEncoder::kSide);
  EXPECT_LE(largest(image_encoder().features(frame), image_encoder().features(image_of(frame))), 1e-5);
}

TEST(ImageEncoder, TakesTheMiddleOfVeryLongStrips) {
  for (const auto& [height, width] : {std::pair{3, 4000}, std::pair{4000, 3}}) {
    const auto features = image_encoder().features(drawn(1, height, width));
    EXPECT_EQ(features.size(), ImageEncoder::kFeatures);
    EXPECT_TRUE(std::all_of(features.begin(), features.end(), [](float x) { return std::isfinite(x); }));
  }
}

TEST(ImageEncoder, GivesTheSameAloneAndAmongOthers) {
  const auto images = golden_images();
  const auto together = image_encoder().features(images);
  const std::size_t size = 3UL * ImageEncoder::kSide * ImageEncoder::kSide;
  for (std::size_t i = 0; i * size < images.size(); ++i)
    EXPECT_LE(largest(image_encoder().features(row(images, i, size)), row(together, i)), 2e-5);
  const auto frame = drawn(3, 100, 180);
  const auto nine = image_encoder().features(repeated(frame, 9));
  for (std::size_t i = 0; i < 9; ++i) EXPECT_LE(largest(row(nine, i), image_encoder().features(frame)), 2e-5);
}

TEST(ImageEncoder, ServesManyThreads) {
  const auto frame = drawn(1, 150, 200);
  const auto alone = image_encoder().features(frame);
  std::vector<Rows> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& out : found) threads.emplace_back([&] { out = image_encoder().features(frame); });
  }
  for (const auto& out : found) EXPECT_LE(largest(out, alone), 2e-5);
}

TEST(ImageEncoder, GivesNoRowsForNoPictures) {
  EXPECT_TRUE(image_encoder().features(Rows()).empty());
  EXPECT_TRUE(image_encoder().features(media::Frames{}).empty());
}

TEST(ImageEncoder, RefusesOtherShapes) {
  for (const std::size_t wrong : {1UL, 3UL * 192 * 224, 3UL * 224 * 224 + 1}) {
    EXPECT_THROW((void)image_encoder().features(Rows(wrong)), Exception);
    EXPECT_THROW((void)image_encoder().logits(Rows(wrong)), Exception);
  }
  media::Frames cut = drawn(0, 10, 10);
  cut.data.pop_back();
  EXPECT_THROW((void)image_encoder().features(cut), Exception);
}

std::string refusal(const fs::path& weights, Code code) {
  try {
    const ImageEncoder net(weights);
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  return "accepted";
}

TEST(ImageEncoderWeights, OfAnotherHashAreRefused) {
  const TemporaryFolder folder;
  const fs::path changed = folder.path() / "image_encoder.pth";
  fs::copy_file(find_image_encoder({}), changed);
  fs::permissions(changed, fs::perms::owner_write, fs::perm_options::add);
  std::string bytes = value_or_throw(read_file(changed, 1 << 26));
  bytes[bytes.size() / 2] ^= 1;  // one bit of one weight
  write_file(changed, bytes);
  const std::string message = refusal(changed, Code::corrupt);
  EXPECT_THAT(message, HasSubstr(changed.string()));
  EXPECT_THAT(message, HasSubstr(std::string(lite0().sha256)));
  EXPECT_THAT(message, HasSubstr("run ./run once"));
}

TEST(ImageEncoderWeights, ThatAreMissingSayWhatToDo) {
  const std::string message = refusal("/nonexistent/image_encoder.pth", Code::not_found);
  EXPECT_THAT(message, HasSubstr("/nonexistent/image_encoder.pth"));
  EXPECT_THAT(message, HasSubstr("run ./run once"));
  EXPECT_THAT(message, HasSubstr("REELTAG_IMAGE_ENCODER"));
}

TEST(ImageEncoderWeights, AreLookedForInTheBundleFirst) {
  const TemporaryFolder folder;
  const fs::path other = folder.path() / "other.pth", own = folder.path() / "image_encoder.pth";
  write_file(other, "x");
  const Environment named("REELTAG_IMAGE_ENCODER", other.c_str());
  EXPECT_EQ(find_image_encoder(folder.path()), other);
  EXPECT_EQ(find_image_encoder({}), other);
  write_file(own, "x");
  EXPECT_EQ(find_image_encoder(folder.path()), own);
}

TEST(ImageEncoderWeights, NamedWronglyAreNotReplacedByOthers) {
  const Environment named("REELTAG_IMAGE_ENCODER", "/nonexistent/x.pth");
  try {
    find_image_encoder({});
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
    EXPECT_THAT(e.what(), HasSubstr("REELTAG_IMAGE_ENCODER names no file: /nonexistent/x.pth"));
  }
}

// ---- frames of real clips: tools/reference/image_encoder.py --shared ----

// Like read_frame() there: planes from ffmpeg, converted to RGB by BT.601 in integers.
media::Frames clip_frame(const fs::path& path, int number, int height, int width) {
  media::Frames f{.count = 1, .height = height, .width = width, .data = {}, .times = {0.0}};
  const auto done = run({"ffmpeg", "-nostdin", "-v", "error", "-i", path.string(), "-vf",
                         "select=eq(n\\," + std::to_string(number) + ")", "-frames:v", "1", "-f", "rawvideo",
                         "-pix_fmt", "yuv420p", "-"});
  const auto w = static_cast<std::size_t>(width), h = static_cast<std::size_t>(height);
  if (!done || done->status != 0 || done->out.size() != w * h * 3 / 2)
    throw Exception(Code::unavailable, "ffmpeg gives no such frame of " + path.string());
  const auto* luma = reinterpret_cast<const std::uint8_t*>(done->out.data());
  const auto *blue = luma + w * h, *red = blue + w * h / 4;
  f.data.reserve(f.frame_bytes());
  for (std::size_t y = 0; y < h; ++y) {
    for (std::size_t x = 0; x < w; ++x) {
      const std::size_t at = y / 2 * (w / 2) + x / 2;
      const int l = luma[y * w + x] - 16, u = blue[at] - 128, v = red[at] - 128;
      for (const int sum : {298 * l + 409 * v, 298 * l - 100 * u - 208 * v, 298 * l + 516 * u})
        f.data.push_back(static_cast<std::uint8_t>(std::clamp((sum + 128) >> 8, 0, 255)));
    }
  }
  return f;
}

class ImageEncoderOnClips : public testing::Test {
 protected:
  // Calls visit(clip, number, height, width, Python's features) for each frame of the golden.
  template <class Visit>
  void each(const Visit& visit) {
    const char* shared = std::getenv("REELTAG_SHARED");
    if (shared == nullptr) GTEST_SKIP() << "needs the development clips (REELTAG_SHARED)";
    std::size_t number = 0;
    for (const auto& clip : golden_list("clips")) {
      SCOPED_TRACE(clip);
      visit(fs::path(shared) / "data" / clip[0].get<std::string>(), clip[1].get<int>(), clip[2].get<int>(),
            clip[3].get<int>(), row(golden().at("clips.features").values, number++));
    }
    EXPECT_EQ(number * ImageEncoder::kFeatures, golden().at("clips.features").values.size());
  }
};

TEST_F(ImageEncoderOnClips, EqualsThePythonPackage) {
  double worst = 0;
  each([&](const fs::path& path, int number, int height, int width, const Rows& want) {
    worst = std::max(worst, largest(image_encoder().features(clip_frame(path, number, height, width)), want));
  });
  RecordProperty("max_abs", std::to_string(worst));
  EXPECT_LE(worst, 1e-4);
}

// The tagging path: colour conversion and scaling differ from the golden's, the features hardly do.
TEST_F(ImageEncoderOnClips, AreMuchTheSameThroughTheDecoder) {
  each([&](const fs::path& path, int number, int, int, const Rows& want) {
    const auto video = value_or_throw(media::Decoder::open(path, {}));
    const std::vector<double> time{number / video->probe().fps + 1e-3};
    for (const int side : {0, ImageEncoder::kSide}) {
      const auto frames = value_or_throw(video->frames_at(time, {.short_side = side}));
      EXPECT_GE(cosine(image_encoder().features(frames), want), 0.95) << side;
    }
  });
}

// Prints single-core milliseconds per picture; the bound only catches gross regressions.
//   build/release/reeltag_model_image_encoder_test --gtest_filter='Slow*'
TEST(SlowImageEncoder, TakesMillisecondsAPicture) {
  const ImageEncoder net(find_image_encoder({}), 1);
  const auto measure = [&](const auto& pictures, int count) {
    double best = 1e9;
    for (int i = 0; i < 10; ++i) {
      const std::clock_t start = std::clock();
      (void)net.features(pictures);
      best = std::min(best, 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / count);
    }
    return best;
  };
  const auto report = [&](const std::string& what, double milliseconds) {
    RecordProperty(what, std::to_string(milliseconds));
    std::cout << what << ": " << milliseconds << " ms\n";
    EXPECT_LT(milliseconds, 500);
  };
  report("images", measure(image_of(repeated(drawn(1, 224, 224), 16)), 16));
  report("frames_398x224", measure(repeated(drawn(1, 224, 398), 16), 16));
  report("frames_720x1280", measure(repeated(drawn(1, 1280, 720), 16), 16));
}

}  // namespace
}  // namespace reeltag::model

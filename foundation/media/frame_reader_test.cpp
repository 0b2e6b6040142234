// Tests the cost of decoding: unneeded packets are not decoded, and the fast path succeeds.
#include "frame_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::ClipKind, test::Folder;

std::unique_ptr<Input> open(const std::filesystem::path& clip) {
  return value_or_throw(Input::open(value_or_throw(File::open(clip, {})), {}));
}

struct Outcome {
  std::vector<int> missing, got;
  int packets = 0;
};

Outcome read(const std::filesystem::path& clip, const std::vector<int>& frames, bool carefully = false) {
  auto input = open(clip);
  const Timeline timeline = value_or_throw(Timeline::read(*input));
  if (carefully) input = open(clip);
  auto reader = value_or_throw(FrameReader::open(*input, timeline));
  Outcome outcome;
  const FrameReader::Sink sink = [&](int chosen, int actual, const AVFrame&) -> Result<void> {
    EXPECT_EQ(chosen, actual);
    outcome.got.push_back(actual);
    return {};
  };
  outcome.missing = value_or_throw(carefully ? reader.read_carefully(frames, sink) : reader.read(frames, sink));
  outcome.packets = reader.packets_decoded();
  return outcome;
}

class FrameReaderOnEvery : public testing::TestWithParam<ClipKind> {};

// Careful decoding from the start is for broken files: an intact file must not need it.
TEST_P(FrameReaderOnEvery, ContainerIsReadTheQuickWay) {
  const Folder folder;
  const auto clip = folder.clip(GetParam().name, GetParam().arguments);
  for (const std::vector<int>& frames : {std::vector<int>{0}, {3}, {1, 2, 19}, {20}}) {
    EXPECT_EQ(read(clip, frames, true).got, frames);
    // Intra refresh in strips: decoding can begin at the key flag, but shows a complete picture only later.
    if (GetParam().name == "refresh.mp4") continue;
    const Outcome quick = read(clip, frames);
    EXPECT_TRUE(quick.missing.empty()) << frames[0];
    EXPECT_EQ(quick.got, frames);
  }
}

INSTANTIATE_TEST_SUITE_P(Media, FrameReaderOnEvery, testing::ValuesIn(test::clip_kinds()), [](const auto& p) {
  std::string name = p.param.name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(FrameReader, JumpsOverWhatNobodyAskedFor) {
  const Folder folder;
  const std::string source = "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -c:v libx264 -pix_fmt yuv420p -bf 0 ";
  const auto keys = folder.clip("keys.mp4", source + "-g 1");
  EXPECT_EQ(read(keys, {10, 100, 190}).packets, 3);
  const auto groups = folder.clip("groups.mkv", source + "-g 50");
  EXPECT_EQ(read(groups, {51, 150}).packets, 3);
  EXPECT_EQ(read(groups, {99}).packets, 50);
  EXPECT_EQ(read(groups, {51, 150}, true).packets, 151);
}

TEST(FrameReader, SeeksInAFileTooLargeToReadThrough) {
  const Folder folder;
  // About 9 MB of noise, so that the gap between the two frames justifies a seek.
  const auto clip = folder.clip("large.mp4",
                                "-f lavfi -i nullsrc=s=320x240:r=25:d=4 -vf noise=alls=100:allf=t+u -c:v libx264 "
                                "-preset ultrafast -qp 8 -g 10 -pix_fmt yuv420p");
  ASSERT_GT(std::filesystem::file_size(clip), 4U << 20);
  const Outcome far = read(clip, {0, 91});
  EXPECT_TRUE(far.missing.empty());
  EXPECT_EQ(far.packets, 3);
}

}  // namespace
}  // namespace reeltag::media

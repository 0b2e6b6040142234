#include "continuous.hpp"

#include <gtest/gtest.h>

#include <array>

namespace reeltag::media {
namespace {

constexpr AVRational kTicks{1, 90'000};
constexpr std::int64_t kFrame = 3600;  // 25 frames a second
constexpr std::int64_t kWrap = 1LL << 33;

// Frames in decode order from a time on, without reordering.
void add(std::vector<PacketEntry>& packets, std::int64_t from, int count) {
  for (int k = 0; k < count; ++k)
    packets.push_back({.pts = from + (k + 1) * kFrame,
                       .dts = from + k * kFrame,
                       .position = 0,
                       .duration = kFrame,
                       .bytes = 1,
                       .key = true,
                       .shown = true});
}

std::vector<PacketEntry> parts(const std::vector<std::int64_t>& starts, int count = 10) {
  std::vector<PacketEntry> packets;
  for (const auto start : starts) add(packets, start, count);
  return packets;
}

bool join(std::vector<PacketEntry>& packets) { return make_continuous(packets, kTicks, 25.0, 33); }

void expect_steps_of_a_frame(const std::vector<PacketEntry>& packets) {
  for (std::size_t i = 1; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i].pts - packets[i - 1].pts, kFrame) << i;
    EXPECT_EQ(packets[i].dts - packets[i - 1].dts, kFrame) << i;
  }
}

TEST(Continuous, OneClockStaysAsItIs) {
  auto packets = parts({5000}, 40);
  EXPECT_FALSE(join(packets));
  EXPECT_EQ(packets[0].pts, 5000 + kFrame);
  std::vector<PacketEntry> none;
  EXPECT_FALSE(join(none));
}

TEST(Continuous, APartFollowsTheOneBefore) {
  constexpr std::int64_t kHour = 3600LL * 90'000;
  for (const std::vector<std::int64_t>& starts : std::vector<std::vector<std::int64_t>>{
           {0, 0}, {0, 0, 0, 0}, {5000, 7 * kHour}, {7 * kHour, 5000, 3 * kHour}, {2000, 2000 + kWrap / 2}}) {
    auto packets = parts(starts);
    EXPECT_TRUE(join(packets));
    expect_steps_of_a_frame(packets);
    EXPECT_EQ(packets[0].pts, starts[0] + kFrame);
  }
}

TEST(Continuous, AWrappedClockRunsOn) {
  for (const std::vector<std::int64_t>& starts : std::vector<std::vector<std::int64_t>>{
           {kWrap - 5 * kFrame}, {0, kWrap - 5 * kFrame}, {kWrap - 5 * kFrame, 20 * kWrap / 100, 0}}) {
    auto packets = parts(starts);
    for (auto& p : packets) p.pts %= kWrap, p.dts %= kWrap;
    EXPECT_TRUE(join(packets));
    expect_steps_of_a_frame(packets);
  }
}

TEST(Continuous, APauseStaysAPause) {
  auto packets = parts({0, 8 * 90'000});
  EXPECT_FALSE(join(packets));
  EXPECT_EQ(packets[10].dts - packets[9].dts, 8 * 90'000 - 9 * kFrame);
}

TEST(Continuous, ReorderedFramesKeepTheirOrder) {
  // I P B B, twice: presentation times 1 4 2 3 of decoding times 0 1 2 3.
  std::vector<PacketEntry> packets;
  for (int part = 0; part < 2; ++part)
    for (int k = 0; k < 4; ++k)
      packets.push_back({.pts = std::array{1, 4, 2, 3}[k] * kFrame,
                         .dts = k * kFrame,
                         .position = 0,
                         .duration = kFrame,
                         .bytes = 1,
                         .key = k == 0,
                         .shown = true});
  auto sparse = packets;
  EXPECT_TRUE(join(packets));
  for (int k = 0; k < 4; ++k) EXPECT_EQ(packets[4 + k].pts - packets[k].pts, 4 * kFrame);
  for (auto& p : sparse) p.dts = AV_NOPTS_VALUE;
  EXPECT_FALSE(join(sparse)) << "without decoding times nothing tells a restart from reordering";
}

TEST(Continuous, FramesWithoutTimesTakeTheirRoom) {
  auto packets = parts({0, 0});
  for (const int i : {3, 4, 8, 9, 15}) packets[i].pts = packets[i].dts = AV_NOPTS_VALUE;
  EXPECT_TRUE(join(packets));
  EXPECT_EQ(packets[10].dts, 10 * kFrame);
  EXPECT_EQ(packets[19].dts, 19 * kFrame);
  EXPECT_EQ(packets[15].dts, AV_NOPTS_VALUE);
}

TEST(Continuous, AWrongStampCostsNoHours) {
  auto packets = parts({0}, 30);
  packets[12].pts = packets[12].dts = 4'000'000'000;
  EXPECT_TRUE(join(packets));
  EXPECT_LE(packets.back().pts - packets.front().pts, 30 * kFrame);
}

TEST(Continuous, StampsOfNoClockAreLeftAlone) {
  auto packets = parts({0, 0});
  packets[5].pts = INT64_MAX;
  packets[6].dts = INT64_MIN + 1;
  EXPECT_FALSE(join(packets));
  EXPECT_EQ(packets[10].dts, 0);
}

}  // namespace
}  // namespace reeltag::media

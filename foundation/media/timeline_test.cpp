#include "timeline.hpp"

#include <gtest/gtest.h>

namespace reeltag::media {
namespace {

PacketEntry packet(std::int64_t pts, std::int64_t dts, bool key = false) {
  return {.pts = pts, .dts = dts, .position = dts * 1000, .duration = 1, .bytes = 100, .key = key, .shown = true};
}

// Three groups of four frames, I P B B in decode order.
Timeline groups() {
  std::vector<PacketEntry> p;
  for (int g = 0; g < 3; ++g)
    for (const int shown : {0, 3, 1, 2})
      p.push_back(packet(100 + g * 4 + shown, 99 + static_cast<int>(p.size()), shown == 0));
  return {std::move(p), {1, 10}, 10};
}

TEST(Timeline, TimesAreSortedAndCountFromTheFirstFrame) {
  const Timeline t = groups();
  ASSERT_EQ(t.times().size(), 12U);
  for (int k = 0; k < 12; ++k) EXPECT_NEAR(t.times()[k], k * 0.1, 1e-12);
  EXPECT_NEAR(t.end(), 1.2, 1e-12);
  EXPECT_EQ(t.packet_of()[1], 2);
  EXPECT_EQ(t.packet_of()[3], 1);
  EXPECT_EQ(t.reorder_delay(), 1);
}

TEST(Timeline, TheFrameOnScreen) {
  const Timeline t = groups();
  EXPECT_EQ(t.frame_at(-1), 0);
  EXPECT_EQ(t.frame_at(0.0999), 0);
  EXPECT_EQ(t.frame_at(0.1 - 0.4e-6), 1);
  EXPECT_EQ(t.frame_at(0.1), 1);
  EXPECT_EQ(t.frame_at(5), 11);
}

TEST(Timeline, OnlyNeededPacketsAreDecoded) {
  const Timeline t = groups();
  const auto runs = t.plan({1, 11}, true);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].first, 0);
  EXPECT_EQ(runs[0].last, 2);
  EXPECT_EQ(runs[1].first, 8);  // the key picture of the third group
  EXPECT_EQ(runs[1].last, 9);   // the P picture; the B pictures are not needed
  EXPECT_EQ(runs[1].frames, std::vector<int>{11});
  const auto whole = t.plan({1, 11}, false);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].first, 0);
  EXPECT_EQ(whole[0].last, 9);
  EXPECT_TRUE(t.plan({}, true).empty());
}

TEST(Timeline, AFrameBeforeItsKeyOnScreenNeedsTheGroupBefore) {
  // Open groups: the B pictures after the second I are shown before it and reference the first group.
  const Timeline t(
      {packet(0, 0, true), packet(3, 1), packet(1, 2), packet(2, 3), packet(6, 4, true), packet(4, 5), packet(5, 6)},
      {1, 10}, 10);
  const auto leading = t.plan({5}, true);
  ASSERT_EQ(leading.size(), 1U);
  EXPECT_EQ(leading[0].first, 0);
  EXPECT_EQ(leading[0].last, 6);
  EXPECT_EQ(t.plan({6}, true)[0].first, 4);
}

TEST(Timeline, HiddenPacketsHaveNoTime) {
  std::vector<PacketEntry> p = {packet(-2, 0, true), packet(-1, 1), packet(0, 2), packet(1, 3)};
  p[0].shown = p[1].shown = false;
  const Timeline t(std::move(p), {1, 10}, 10);
  EXPECT_EQ(t.times(), (std::vector<double>{0.0, 0.1}));
  EXPECT_EQ(t.plan({1}, true)[0].first, 0);
}

TEST(Timeline, WithoutPresentationTimesOrderCounts) {
  std::vector<PacketEntry> p = {packet(AV_NOPTS_VALUE, 0, true), packet(AV_NOPTS_VALUE, 1), packet(AV_NOPTS_VALUE, 2)};
  const Timeline by_dts(p, {1, 10}, 10);
  EXPECT_FALSE(by_dts.has_presentation_times());
  EXPECT_NEAR(by_dts.times()[2], 0.2, 1e-12);
  for (auto& e : p) e.dts = AV_NOPTS_VALUE, e.duration = 0;
  const Timeline by_rate(p, {1, 10}, 50);
  EXPECT_NEAR(by_rate.times()[2], 0.04, 1e-12);
  EXPECT_NEAR(by_rate.end(), 0.06, 1e-12);
}

TEST(Timeline, FarApartStampsDoNotOverflow) {
  const Timeline t({packet(INT64_MIN + 1, 0, true), packet(INT64_MAX, 1)}, {1, 1}, 10);
  EXPECT_GT(t.times()[1], 1e19);
}

TEST(Timeline, NoPacketsNoTimes) {
  const Timeline t({}, {1, 10}, 0);
  EXPECT_TRUE(t.times().empty());
  EXPECT_EQ(t.end(), 0);
}

}  // namespace
}  // namespace reeltag::media

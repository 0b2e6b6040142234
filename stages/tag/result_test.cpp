#include "reeltag/tag.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reeltag::tag {

static bool operator==(const Segment& a, const Segment& b) { return a.start == b.start && a.end == b.end; }

namespace {

const std::vector<Segment> kViews{{0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}};

TEST(Segments, AreMaximalRunsOfViewsAboveHalfTheBest) {
  EXPECT_EQ(segments_of(kViews, {0.9F, 0.5F, 0.1F, 0.1F, 0.6F}, 0.2), (std::vector<Segment>{{0, 3}, {4, 6}}));
}

TEST(Segments, NeedMoreThanTheThresholdToo) {
  EXPECT_EQ(segments_of(kViews, {0.4F, 0.3F, 0.3F, 0.3F, 0.3F}, 0.35), (std::vector<Segment>{{0, 2}}));
  EXPECT_TRUE(segments_of(kViews, {0.3F, 0.3F, 0.3F, 0.3F, 0.3F}, 0.3).empty());
}

TEST(Segments, OfOneViewAreThatView) {
  EXPECT_EQ(segments_of({{0, 1.5}}, {0.4F}, 0.0), (std::vector<Segment>{{0, 1.5}}));
}

TEST(TaggedJson, HasTheContractsFields) {
  TagResult t{.video = "a \"b\".mp4", .model = "m", .duration = 1.23456, .tags = {{"cats", 0.87654321, {{0, 1.0}}}}};
  const auto j = nlohmann::json::parse(to_json(t));
  EXPECT_EQ(j["video"], "a \"b\".mp4");
  EXPECT_EQ(j["tags"][0]["hashtag"], "cats");
  EXPECT_DOUBLE_EQ(j["tags"][0]["score"].get<double>(), 0.8765);
  EXPECT_EQ(j["tags"][0]["segments"], nlohmann::json::parse("[[0.0,1.0]]"));
  EXPECT_FALSE(j.contains("unsure"));
  EXPECT_EQ(to_json(t).find('\n'), std::string::npos);
}

TEST(TaggedJson, SaysWhenItIsUnsure) {
  TagResult t{.video = "\xff.mp4", .model = "m", .duration = 1, .unsure = true, .guesses = {{"cats", 0.1, {}}}};
  const auto j = nlohmann::json::parse(to_json(t));
  EXPECT_TRUE(j["unsure"].get<bool>());
  EXPECT_TRUE(j["tags"].empty());
}

}  // namespace
}  // namespace reeltag::tag

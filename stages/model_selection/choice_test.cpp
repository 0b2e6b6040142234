#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Net net(const std::string& name, double ms, double top1, double gb = 1.0, const std::string& set = "kinetics") {
  return {.name = name,
          .training_set = set,
          .published = PublishedAccuracy{.top1 = top1},
          .cost = {.ms_per_view = ms, .peak_bytes = gb * 1e9, .measured = true}};
}

std::vector<std::string> on_front(const std::vector<Net>& nets, const Front& front) {
  std::vector<std::string> names;
  for (const auto& p : front.points) {
    if (p.on_front) names.push_back(nets[p.net].name);
  }
  return names;
}

std::string picked(const std::vector<Net>& nets, const Front& front) {
  return front.pick ? nets[front.points[*front.pick].net].name : "";
}

TEST(ParetoFront, HoldsWhatNothingBeatsFromFastToSlow) {
  const std::vector<Net> nets{net("slow", 100, .86), net("fast", 10, .70), net("beaten", 50, .75),
                              net("middle", 40, .80), net("worse_and_slower", 200, .60)};
  const auto choice = choose(nets, {});
  ASSERT_EQ(choice.fronts.size(), 1U);
  EXPECT_THAT(on_front(nets, choice.fronts[0]), ElementsAre("fast", "middle", "slow"));
  EXPECT_EQ(choice.fronts[0].points.size(), 5U);
}

TEST(ParetoFront, EqualInOneIsBeatenByBetterInTheOther) {
  const std::vector<Net> nets{net("a", 10, .80), net("slower", 12, .80), net("worse", 10, .79), net("twin", 10, .80)};
  EXPECT_THAT(on_front(nets, choose(nets, {}).fronts[0]), ElementsAre("a", "twin"));
}

TEST(ParetoFront, OneForEachTrainingSet) {
  auto own = net("own", 5, .5);
  own.own = {{.run = "r1", .dataset = "d", .split = "val", .top1 = .3},
             {.run = "r2", .dataset = "d", .split = "val", .top1 = .4},
             {.run = "r3", .dataset = "d", .split = "test", .top1 = .2}};
  const std::vector<Net> nets{net("image", 1, .9, 1, "imagenet"), own};
  const auto choice = choose(nets, {});
  ASSERT_EQ(choice.fronts.size(), 4U);
  EXPECT_EQ(choice.fronts[0].training_set, "kinetics");
  EXPECT_THAT(on_front(nets, choice.fronts[0]), ElementsAre("own"));  // the image net does not compare
  EXPECT_EQ(choice.fronts[1].training_set, "imagenet");
  EXPECT_EQ(choice.fronts[2].training_set, "d (test)");
  EXPECT_EQ(choice.fronts[3].training_set, "d (val)");
  EXPECT_EQ(choice.fronts[3].points[0].source, "r2");  // the better of two runs
  EXPECT_EQ(choose(nets, {}, "d (val)").fronts.size(), 1U);
}

TEST(ParetoFront, NetsOfUnknownCostOrAccuracyAreOnNone) {
  auto failed = net("failed", kUnknown, .9);
  failed.cost = {.failure = "killed"};
  auto unrated = net("unrated", 1, .9);
  unrated.published.reset();
  const std::vector<Net> nets{failed, unrated, net("only", 10, .5)};
  const auto choice = choose(nets, {});
  ASSERT_EQ(choice.fronts.size(), 1U);
  EXPECT_THAT(on_front(nets, choice.fronts[0]), ElementsAre("only"));
  EXPECT_EQ(choice.fronts[0].points.size(), 1U);
}

TEST(Pick, TheMostAccurateWithinTheLimits) {
  const std::vector<Net> nets{net("fast", 10, .70), net("middle", 40, .80, 2), net("slow", 100, .86, 4)};
  const auto unlimited = choose(nets, {});
  EXPECT_EQ(picked(nets, unlimited.fronts[0]), "slow");
  EXPECT_THAT(unlimited.why, HasSubstr("no limit being given"));

  const auto timed = choose(nets, {.ms_per_video = 200, .views = 5});
  EXPECT_EQ(picked(nets, timed.fronts[0]), "middle");  // 5 x 40 is just within
  EXPECT_THAT(timed.why, HasSubstr("middle is the most accurate net on kinetics within 200 ms per video"));
  EXPECT_THAT(timed.why, HasSubstr("80.0 % top-1 (published)"));
  EXPECT_THAT(timed.why, HasSubstr("slow (86.0 %), needs 500 ms per video"));
  EXPECT_TRUE(timed.fits);

  EXPECT_EQ(picked(nets, choose(nets, {.ms_per_video = 200, .views = 6}).fronts[0]), "fast");
  EXPECT_EQ(picked(nets, choose(nets, {.memory_bytes = 1.5e9}).fronts[0]), "fast");
  EXPECT_EQ(picked(nets, choose(nets, {.free_bytes = 3e9}).fronts[0]), "middle");
}

TEST(Pick, OfTwoEquallyAccurateTheFaster) {
  const std::vector<Net> nets{net("slower", 20, .8), net("faster", 10, .8)};
  EXPECT_EQ(picked(nets, choose(nets, {}).fronts[0]), "faster");
}

TEST(Pick, SaysWhichLimitIsTightestAndWhatTheNearestNeeds) {
  const std::vector<Net> nets{net("small", 10, .7, 3), net("large", 100, .9, 4)};
  const auto slow = choose(nets, {.ms_per_video = 10, .memory_bytes = 1e9, .views = 5});
  EXPECT_FALSE(slow.fits);
  EXPECT_FALSE(slow.pick.has_value());
  EXPECT_THAT(slow.why, HasSubstr("--ms-per-video 10 is the tightest limit"));
  EXPECT_THAT(slow.why, HasSubstr("the nearest net, small, needs 50.0 ms per video and 3.00 GB, 5 times that limit"));

  const auto large = choose(nets, {.ms_per_video = 40, .memory_bytes = 1e9, .views = 5});
  EXPECT_THAT(large.why, HasSubstr("--memory 1 is the tightest limit"));
}

TEST(Pick, NetsOfUnknownAccuracyAreNamedButNotPicked) {
  auto unrated = net("unrated", 1, .9);
  unrated.published.reset();
  const auto none_rated = choose({unrated}, {.ms_per_video = 10});
  EXPECT_THAT(none_rated.fronts, IsEmpty());
  EXPECT_TRUE(none_rated.fits);
  EXPECT_FALSE(none_rated.pick.has_value());
  EXPECT_THAT(none_rated.why, HasSubstr("no accuracy is known of any (unrated)"));

  const auto too_slow = choose({unrated, net("rated", 100, .8)}, {.ms_per_video = 10});
  EXPECT_FALSE(too_slow.fits);
  EXPECT_THAT(too_slow.why, HasSubstr("the nearest net, rated"));
  EXPECT_THAT(too_slow.why, HasSubstr("of unknown accuracy: unrated"));

  const auto nothing = choose({unrated}, {.ms_per_video = 1});
  EXPECT_FALSE(nothing.fits);
  EXPECT_THAT(nothing.why, HasSubstr("the nearest net, unrated"));
}

TEST(Pick, AnEstimateIsCalledOne) {
  auto guessed = net("guessed", 100, .9);
  guessed.cost.measured = false;
  EXPECT_THAT(choose({guessed}, {}).why, HasSubstr("about 500 ms per video"));
  EXPECT_THAT(choose({net("exact", 100, .9)}, {}).why, Not(HasSubstr("about")));
}

}  // namespace
}  // namespace reeltag::model_selection

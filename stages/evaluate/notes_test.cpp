#include "notes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace reeltag::evaluate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Evaluation scored(double own, double low, double one_frame, double chance) {
  Evaluation e;
  e.label_mode = dataset::LabelMode::single;
  e.metrics.top1 = {own, low, 1.0};
  e.metrics.chance_top1 = chance;
  e.time.push_back({model::TimeOrder::repeated, {one_frame, 0, 1}, {0.0, 0, 1}});
  e.time.push_back({model::TimeOrder::reversed, {own, 0, 1}, {0.0, 0, 1}});
  return e;
}

model::Bundle with(std::vector<std::string> blocks) {
  model::Bundle bundle;
  bundle.blocks = std::move(blocks);
  return bundle;
}

TEST(Notes, OneFrameThatScoresAsWellIsSaid) {
  const auto net = with({model::kMvitBlock});
  EXPECT_THAT(notes_on(scored(0.87, 0.80, 0.86, 0.2), net), ElementsAre(HasSubstr("the place, not the action")));
  EXPECT_THAT(notes_on(scored(0.87, 0.80, 0.80, 0.2), net), ElementsAre(HasSubstr("80.0 %")));
  EXPECT_THAT(notes_on(scored(0.87, 0.80, 0.79, 0.2), net), IsEmpty());
  EXPECT_THAT(notes_on(scored(0.3, 0.2, 0.3, 0.25), net),
              IsEmpty());  // no better than chance: there is nothing to doubt
  EXPECT_THAT(notes_on(scored(NAN, NAN, NAN, 0.25), net), IsEmpty());
  auto unchecked = scored(0.87, 0.80, 0.86, 0.2);
  unchecked.time.clear();
  EXPECT_THAT(notes_on(unchecked, net), IsEmpty());
}

TEST(Notes, MultipleLabelsAreJudgedByTheirAveragePrecision) {
  auto e = scored(0.9, 0.8, 0.1, 0.2);
  e.label_mode = dataset::LabelMode::multi;
  e.metrics.map = {0.5, 0.4, 0.6};
  e.metrics.chance_map = 0.1;
  e.time[0].map.value = 0.45;
  EXPECT_THAT(notes_on(e, with({model::kMvitBlock})), ElementsAre(HasSubstr("mAP 45.0 %")));
}

TEST(Notes, WhatABlockCannotKnowIsSaid) {
  const auto e = scored(0.9, 0.8, 0.1, 0.2);
  EXPECT_THAT(notes_on(e, with({model::kImageMean, model::kImageDelta})), ElementsAre(HasSubstr("from its reverse")));
  EXPECT_THAT(notes_on(e, with({model::kImageMean})), ElementsAre(HasSubstr("order of a video's frames")));
  EXPECT_THAT(notes_on(e, with({model::kMvitBlock, model::kImageMean})), IsEmpty());
}

}  // namespace
}  // namespace reeltag::evaluate

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kMetrics =
    R"({"format":1,"dataset":"d1","split":"val","top1":0.643,"top5":0.9,"videos":70,"model":"a1"})";

class Runs : public ::testing::Test {
 protected:
  // A run as training and evaluation leave it.
  void add_run(const std::string& id, const model::Recipe& recipe, const std::string& metrics = kMetrics) {
    const auto run = folder.path() / id;
    std::filesystem::create_directories(run);
    write_file(run / "recipe.yaml", model::to_yaml(recipe));
    if (!metrics.empty()) write_file(run / "metrics.json", metrics);
  }
  const std::vector<OwnResult>& own(const std::string& name) {
    return std::find_if(nets.begin(), nets.end(), [&](const Net& n) { return n.name == name; })->own;
  }
  std::string reason_of_the_one_passed_over() {
    const auto passed_over = add_own_results(nets, folder.path());
    return passed_over.size() == 1 ? passed_over[0].reason : std::to_string(passed_over.size());
  }

  TemporaryFolder folder;
  std::vector<Net> nets = list_nets().nets;
};

TEST_F(Runs, ARunBelongsToTheNetThatItTrained) {
  add_run("a1", model::load_recipe("small/MVITv2_motion"));
  EXPECT_THAT(add_own_results(nets, folder.path()), IsEmpty());
  ASSERT_THAT(own("small/MVITv2_motion"), SizeIs(1));
  const OwnResult& result = own("small/MVITv2_motion")[0];
  EXPECT_EQ(result.run, "a1");
  EXPECT_EQ(result.dataset, "d1");
  EXPECT_EQ(result.split, "val");
  EXPECT_DOUBLE_EQ(result.top1, .643);
  EXPECT_EQ(result.videos, 70);
}

TEST_F(Runs, AlsoWhenItWasTrainedInAnotherWay) {
  model::Recipe recipe = model::load_recipe("small/MVITv2_motion");
  model::set(recipe, "SOLVER.MAX_EPOCH", 3);
  model::set(recipe, "MVIT.DROPPATH_RATE", 0.2);
  add_run("a1", recipe);
  add_own_results(nets, folder.path());
  EXPECT_THAT(own("small/MVITv2_motion"), SizeIs(1));
}

TEST_F(Runs, OfTwoNetsOfOneShapeToTheNearerRecipe) {
  add_run("one", model::load_recipe("small/MVITv2_XXS_8"));
  add_run("many", model::load_recipe("small/starter"));
  add_own_results(nets, folder.path());
  ASSERT_THAT(own("small/MVITv2_XXS_8"), SizeIs(1));
  EXPECT_EQ(own("small/MVITv2_XXS_8")[0].run, "one");
  ASSERT_THAT(own("small/starter"), SizeIs(1));
  EXPECT_EQ(own("small/starter")[0].run, "many");
}

TEST_F(Runs, WhatSaysNothingIsPassedOverWithItsReason) {
  model::Recipe other = model::load_recipe("small/MVITv2_motion");
  model::set(other, "MVIT.EMBED_DIM", 16);
  add_run("other", other);
  EXPECT_THAT(reason_of_the_one_passed_over(), HasSubstr("none of the shipped ones"));
  std::filesystem::remove_all(folder.path() / "other");

  const auto recipe = model::load_recipe("small/MVITv2_motion");
  add_run("on_train", recipe, R"({"dataset":"d","split":"train","top1":0.9,"videos":3})");
  EXPECT_THAT(reason_of_the_one_passed_over(), HasSubstr("trained on"));
  add_run("on_train", recipe, R"({"dataset":"d","split":"val","top1":null,"videos":3})");
  EXPECT_THAT(reason_of_the_one_passed_over(), HasSubstr("no top-1"));
  add_run("on_train", recipe, R"({"dataset":"d")");
  EXPECT_THAT(reason_of_the_one_passed_over(), HasSubstr("metrics.json"));
  add_run("on_train", recipe, R"({"split":"val"})");
  EXPECT_THAT(reason_of_the_one_passed_over(), HasSubstr("dataset"));
  EXPECT_THAT(own("small/MVITv2_motion"), IsEmpty());
}

TEST_F(Runs, NotEvaluatedIsNoResult) {
  add_run("a1", model::load_recipe("small/MVITv2_motion"), "");
  EXPECT_THAT(add_own_results(nets, folder.path()), IsEmpty());
  EXPECT_THAT(add_own_results(nets, folder.path() / "none"), IsEmpty());
  EXPECT_THAT(own("small/MVITv2_motion"), IsEmpty());
}

}  // namespace
}  // namespace reeltag::model_selection

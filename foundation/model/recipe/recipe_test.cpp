#include "reeltag/model/recipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reeltag::model {
namespace {

std::string refusal(const std::string& yaml) {
  try {
    parse_recipe(yaml, "r.yaml");
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::invalid_config);
    return e.what();
  }
  return "accepted";
}

TEST(Recipe, ReadsPythonLiterals) {
  const Recipe r = parse_recipe(
      "SOLVER: {BASE_LR: 1e-6, CLIP_GRAD_L2NORM: None}\n"
      "MVIT:\n  PATCH_KERNEL: (3, 7, 7)\n  POOL_KVQ_KERNEL: None\n  POOL_KV_STRIDE_ADAPTIVE: \"[1, 8, 8]\"\n"
      "  DIM_MUL: [[1, 2.0], [3, 2]]\n  CLS_EMBED_ON: False\n",
      "r.yaml");
  EXPECT_DOUBLE_EQ(r.solver.base_lr, 1e-6);
  EXPECT_FALSE(r.solver.clip_grad_l2norm);
  EXPECT_EQ(r.mvit.patch_kernel, (std::vector<int>{3, 7, 7}));
  EXPECT_EQ(r.mvit.pool_kv_stride_adaptive, (Triple{1, 8, 8}));
  ASSERT_EQ(r.mvit.dim_mul.size(), 2U);
  EXPECT_EQ(r.mvit.dim_mul[1].block, 3);
  EXPECT_FALSE(r.mvit.cls_embed_on);
}

TEST(Recipe, LastOfTwoEqualKeysWins) {
  EXPECT_EQ(parse_recipe("MVIT:\n  DEPTH: 3\n  DEPTH: 5\n", "r.yaml").mvit.depth, 5);
}

TEST(Recipe, UnknownKeyNamesLineAndNearest) {
  EXPECT_THAT(refusal("MVIT:\n  DEPTH: 4\n  EMBED_DIMM: 8\n"),
              testing::AllOf(testing::HasSubstr("r.yaml:3"), testing::HasSubstr("MVIT.EMBED_DIMM"),
                             testing::HasSubstr("MVIT.EMBED_DIM?")));
}

TEST(Recipe, WrongTypeNamesLineAndKey) {
  EXPECT_THAT(refusal("MVIT:\n  DEPTH: many\n"),
              testing::AllOf(testing::HasSubstr("r.yaml:2"), testing::HasSubstr("MVIT.DEPTH")));
  EXPECT_THAT(refusal("MVIT:\n  DEPTH: 2.5\n"), testing::HasSubstr("MVIT.DEPTH"));
  EXPECT_THAT(refusal("MVIT:\n  POOL_KVQ_KERNEL: [3, 3]\n"), testing::HasSubstr("three"));
}

TEST(Recipe, UnknownSectionIsAWarning) {
  const Recipe r = parse_recipe("PREFETCH:\n  ENABLE: True\nMVIT:\n  DEPTH: 2\n", "r.yaml");
  EXPECT_EQ(r.mvit.depth, 2);
  ASSERT_EQ(r.warnings.size(), 1U);
  EXPECT_THAT(r.warnings[0], testing::HasSubstr("PREFETCH"));
}

TEST(Recipe, KeysOfTheReferenceThatChangeNothingAreAccepted) {
  EXPECT_EQ(
      parse_recipe("NUM_GPUS: 8\nBN:\n  USE_PRECISE_STATS: False\nDATA:\n  PATH_TO_DATA_DIR: x\n", "r").data.num_frames,
      8);
}

TEST(Recipe, EveryShippedOneSurvivesWriting) {
  const auto names = shipped_recipes();
  EXPECT_GE(names.size(), 13U);
  for (const auto& name : names) {
    SCOPED_TRACE(name);
    const Recipe once = load_recipe(name);
    EXPECT_TRUE(once.warnings.empty());
    const std::string text = to_yaml(once);
    EXPECT_EQ(to_yaml(parse_recipe(text, name)), text);
  }
}

TEST(Recipe, UnknownNameSuggestsAShippedOne) {
  try {
    load_recipe("MVITv2_S_16x5");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
    EXPECT_THAT(e.what(), testing::HasSubstr("MVITv2_S_16x4"));
  }
}

TEST(Recipe, OfOneNameTheKineticsOneIsMeant) {
  EXPECT_EQ(load_recipe("MVITv2_S_16x4").model.num_classes, 400);
  EXPECT_EQ(load_recipe("SSv2/MVITv2_S_16x4").model.num_classes, 174);
  EXPECT_EQ(load_recipe("MVITv2_T").model.num_classes, 1000);
}

TEST(Recipe, SetsOneKey) {
  Recipe r;
  set(r, "MVIT.REV.BUFFER_LAYERS", nlohmann::json::array({1, 3}));
  EXPECT_EQ(r.mvit.rev_buffer_layers, (std::vector<int>{1, 3}));
  EXPECT_THROW(set(r, "MVIT.DEPHT", 3), Exception);
}

}  // namespace
}  // namespace reeltag::model

#include "reeltag/model/plan.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reeltag::model {
namespace {

using nlohmann::json;

// Measured on the reference: parameters and multiply-adds (in 1e9) for one clip.
struct Expected {
  const char* recipe;
  std::int64_t parameters;
  double multiply_adds;
};
constexpr Expected kExpected[] = {
    {"ImageNet/MVIT_B_16_CONV", 36'982'600, 7.844466816}, {"ImageNet/MVITv2_T", 24'173'320, 4.704241152},
    {"ImageNet/MVITv2_B", 51'472'744, 10.158694768},      {"Kinetics/MVIT_B_16x4_CONV", 36'610'672, 70.803884832},
    {"Kinetics/MVITv2_S_16x4", 34'537'744, 64.456914432}, {"Kinetics/MVITv2_L_40x3_test", 213'390'112, 2828.10},
};

class ShippedRecipe : public testing::TestWithParam<Expected> {};

TEST_P(ShippedRecipe, HasTheReferencesSize) {
  const Plan plan = make_plan(load_recipe(GetParam().recipe));
  EXPECT_EQ(plan.parameter_count, GetParam().parameters);
  EXPECT_NEAR(plan.multiply_adds.total() / 1e9 / GetParam().multiply_adds, 1.0, 1e-4);
}
INSTANTIATE_TEST_SUITE_P(Family, ShippedRecipe, testing::ValuesIn(kExpected));

TEST(Plan, DescribesTheLargestNetWithoutBuildingIt) {
  const Plan plan = make_plan(load_recipe("MVITv2_H"));
  EXPECT_NEAR(static_cast<double>(plan.parameter_count), 666.9e6, 0.05e6);
  EXPECT_EQ(plan.blocks.size(), 80U);
  EXPECT_EQ(plan.dim_out, 1536);
}

// Every configuration of the reference's tables that can be built: parameters, their names and shapes, the schedule.
TEST(Plan, EqualsTheReferencesTables) {
  const char* shared = std::getenv("REELTAG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "needs the reference's tables (REELTAG_SHARED)";
  const auto folder = std::filesystem::path(shared) / "goldens" / "configs";
  int compared = 0;
  for (const auto& name : shipped_recipes()) {
    std::string file = name;
    for (auto slash = file.find('/'); slash != std::string::npos; slash = file.find('/')) file.replace(slash, 1, "__");
    std::ifstream in(folder / (file + ".json"));
    if (!in) continue;
    SCOPED_TRACE(name);
    const json table = json::parse(in);
    const Plan plan = make_plan(load_recipe(name));
    ++compared;
    if (!table.contains("params")) continue;  // the reference cannot build it
    EXPECT_EQ(plan.parameter_count, table["params"].get<std::int64_t>());
    if (const json flops = table.value("flops_G_analytic", table.value("flops_G_fvcore", json())); flops.is_number()) {
      EXPECT_NEAR(plan.multiply_adds.total() / 1e9 / flops.get<double>(), 1.0, 1e-4);
    }
    std::vector<json> state;
    for (const auto& entry : table["state_dict"]) {
      if (!entry[0].get<std::string>().starts_with("hogs.")) state.push_back(entry);  // constants, not parameters
    }
    ASSERT_EQ(plan.parameters.size(), state.size());
    for (std::size_t i = 0; i < state.size(); ++i) {
      EXPECT_EQ(plan.parameters[i].name, state[i][0].get<std::string>());
      EXPECT_EQ(json(plan.parameters[i].shape), state[i][1]);
    }
    for (std::size_t i = 0; table.contains("schedule") && i < plan.blocks.size(); ++i) {
      const auto& want = table["schedule"][i];
      const auto& b = plan.blocks[i];
      EXPECT_EQ(json({b.dim_in, b.dim_out, b.dim_attention, b.heads, b.mlp_hidden}),
                json({want["dim"], want["dim_out"], want["att_dim"], want["heads"], want["mlp_hidden"]}));
      EXPECT_EQ(json(b.grid_q), want["thw_q"]);
      EXPECT_EQ(json(b.grid_kv), want["thw_kv"]);
      EXPECT_NEAR(b.drop_path, want["drop_path"].get<double>(), 1e-7);
    }
  }
  EXPECT_EQ(compared, 31);
}

// The reference's files in full, every key that it knows included, as JSON, which is YAML too.
TEST(Plan, ReadsTheReferencesFilesUnchanged) {
  const char* shared = std::getenv("REELTAG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "needs the reference's tables (REELTAG_SHARED)";
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(shared) / "goldens" / "configs")) {
    if (entry.path().filename() == "index.json") continue;
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream in(entry.path());
    const json table = json::parse(in);
    const Recipe recipe = parse_recipe(table["effective"].dump(), entry.path().filename().string());
    ++read;
    EXPECT_EQ(to_yaml(recipe), to_yaml(load_recipe(table["name"].get<std::string>())));
  }
  EXPECT_EQ(read, 31);
}

TEST(RoundWidth, FollowsTheReference) {
  const double cases[][4] = {{96, 2.0, 2, 192}, {12, 1.5, 2, 18},   {18, 1.3, 3, 24}, {12, 1.7, 8, 24},
                             {24, 1.25, 4, 32}, {100, 0.5, 8, 48},  {10, 0.31, 4, 4}, {2, 1.5, 1, 3},
                             {3, 1.5, 1, 5},    {144, 2.0, 8, 288}, {7, 1.0, 4, 8},   {9, 1.0, 4, 12}};
  for (const auto& c : cases) {
    EXPECT_EQ(round_width(static_cast<int>(c[0]), static_cast<float>(c[1]), static_cast<int>(c[2])), c[3]) << c[0];
  }
}

Recipe small() { return load_recipe("MVITv2_XXS_8"); }

std::string refusal(const Recipe& recipe) {
  try {
    make_plan(recipe);
  } catch (const Exception& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Plan, RefusesWhatGivesNoNet) {
  Recipe odd_crop = small();
  odd_crop.data.train_crop_size = odd_crop.data.test_crop_size = 66;
  EXPECT_THAT(refusal(odd_crop), testing::HasSubstr("TRAIN_CROP_SIZE"));
  Recipe crops = small();
  crops.data.test_crop_size = 96;
  EXPECT_THAT(refusal(crops), testing::HasSubstr("must be equal"));
  Recipe heads = small();
  heads.mvit.num_heads = 2;
  heads.mvit.head_mul = {{1, 1.5}};
  EXPECT_THAT(refusal(heads), testing::HasSubstr("heads"));
  Recipe kernel = small();
  kernel.mvit.pool_kvq_kernel = Triple{2, 2, 2};
  EXPECT_THAT(refusal(kernel), testing::HasSubstr("odd kernels"));
  Recipe block = small();
  block.mvit.dim_mul = {{99, 2.0}};
  EXPECT_THAT(refusal(block), testing::HasSubstr("block 99"));
}

}  // namespace
}  // namespace reeltag::model

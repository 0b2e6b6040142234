#include "reeltag/model/verify.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

std::string failures(const VerifyReport& report) {
  std::string out;
  for (const auto& c : report.checks) {
    if (!c.passed()) out += "  " + c.what + ": " + std::to_string(c.error) + " > " + std::to_string(c.tolerance) + "\n";
  }
  return out;
}

fs::path carried() { return fs::path(REELTAG_SOURCE_DIR) / "tests" / "goldens"; }

class CarriedVector : public testing::TestWithParam<const char*> {};

TEST_P(CarriedVector, EqualsTheReference) {
  const auto report = verify(carried() / (std::string(GetParam()) + ".json"), {});
  EXPECT_TRUE(report.passed) << failures(report);
  EXPECT_GT(report.checks.size(), 10U);
}
INSTANTIATE_TEST_SUITE_P(Family, CarriedVector,
                         testing::Values("d01_v1_conv_cls_seppos", "d02_v2_relpos_cls", "d03_v2_nocls_heads2",
                                         "d05_pool_first_conv_unshared", "d08_image_v2_kvlist",
                                         "d10_meanpool_cls_sigmoid", "d11_rev_image_concat_linear"));

TEST(Verify, ComparesTheOutputsOfBothEngines) {
  const auto report = verify(carried() / "d02_v2_relpos_cls.json", {});
  std::vector<std::string> names;
  for (const auto& check : report.checks) names.push_back(check.what);
  EXPECT_THAT(names, testing::IsSupersetOf({"logits/torch", "logits/openvino"}));
}

TEST(Verify, SettingsOfTheSolverDoNotStopAComparisonOfOutputs) {
  const TemporaryFolder folder;
  for (const auto& [key, value] :
       {std::pair<const char*, nlohmann::json>{"SOLVER.LAYER_DECAY", 0.75}, {"SOLVER.OPTIMIZING_METHOD", "sgd"}}) {
    auto vector = nlohmann::json::parse(value_or_throw(read_file(carried() / "d02_v2_relpos_cls.json", 1 << 20)));
    vector["config"][key] = value;
    write_file(folder.path() / "other.json", vector.dump());
    fs::copy_file(carried() / "d02_v2_relpos_cls.safetensors", folder.path() / "other.safetensors",
                  fs::copy_options::overwrite_existing);
    const auto report = verify(folder.path() / "other.json", {});
    EXPECT_TRUE(report.passed) << key << "\n" << failures(report);
    EXPECT_GT(report.checks.size(), 10U);
  }
}

TEST(Verify, FailsForAnotherNet) {
  Recipe other = load_recipe("MVITv2_XXS_8");
  EXPECT_THROW(verify(carried() / "d02_v2_relpos_cls.json", other), Exception);
}

class SharedVector : public testing::TestWithParam<const char*> {};

TEST_P(SharedVector, EqualsTheReference) {
  const char* shared = std::getenv("REELTAG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "needs the full-size vectors (REELTAG_SHARED)";
  const auto report = verify(fs::path(shared) / "goldens" / (std::string(GetParam()) + ".json"), {});
  EXPECT_TRUE(report.passed) << failures(report);
}
INSTANTIATE_TEST_SUITE_P(FullSize, SharedVector,
                         testing::Values("full_ImageNet_MVITv2_T", "full_Kinetics_MVIT_B_16x4",
                                         "full_Kinetics_MVITv2_S_16x4", "full_Kinetics_MVITv2_B_32x3"));
INSTANTIATE_TEST_SUITE_P(Small, SharedVector,
                         testing::Values("d07_max_sepqkv_nobias_normstem", "d09_v2_odd_sizes_relpos_interp",
                                         "d13_fractional_mul_v1", "d14_temporal_pool_all_pos", "d15_vit_fixed_sincos",
                                         "d04_pool_first_conv_cls", "d06_avg_default_kernel", "d12_rev_video_avg",
                                         "d17_maskfeat_hog"));

}  // namespace
}  // namespace reeltag::model

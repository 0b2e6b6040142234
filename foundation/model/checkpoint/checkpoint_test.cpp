#include "reeltag/model/checkpoint.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CheckpointFiles : public testing::TestWithParam<const char*> {
 protected:
  TemporaryFolder folder_;
};

TEST_P(CheckpointFiles, GiveBackWhatWasWritten) {
  Checkpoint out;
  out.weights.tensors = {{"a", torch::randn({2, 3})}, {"b", torch::randn({4, 2}).t()}, {"c", torch::tensor(2.5)}};
  out.epoch = 6;
  out.cfg = "MVIT:\n  DEPTH: 4\n";
  const fs::path path = folder_.path() / GetParam();
  write_checkpoint(path, out);
  const Checkpoint back = read_checkpoint(path);
  ASSERT_EQ(back.weights.tensors.size(), 3U);
  for (const auto& [name, tensor] : out.weights.tensors) EXPECT_TRUE(back.weights.at(name).equal(tensor)) << name;
  EXPECT_EQ(back.epoch, 6);
  EXPECT_EQ(back.cfg, out.cfg);
}
INSTANTIATE_TEST_SUITE_P(Formats, CheckpointFiles, testing::Values("x.pyth", "x.pt", "x.safetensors"),
                         [](const auto& file) { return std::string(file.param).substr(2); });

TEST(CheckpointContent, OthersAreNamedForWhatTheyAre) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.pyth";
  for (const auto& [bytes, what] : std::vector<std::pair<std::string, std::string>>{
           {"<!DOCTYPE html><html></html>", "web page"},
           {"\xEF\xBB\xBF\n<html>", "web page"},
           {"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"},
           {std::string("\x89HDF\r\n\x1A\n") + "rest", "HDF5"},
           {std::string("\x08\x07\x12\x07pytorch"), "ONNX"},
           {std::string("\x1F\x8B\x08"), "gzip"},
           {"{\"error\": \"not found\"}", "JSON"}}) {
    write_file(path, bytes);
    try {
      read_checkpoint(path);
      ADD_FAILURE() << what;
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::corrupt) << what;
      EXPECT_THAT(e.what(), HasSubstr(what));
    }
  }
}

TEST(CheckpointNames, TheWrapperOfDistributedTrainingIsTakenOff) {
  const TemporaryFolder folder;
  Checkpoint out;
  out.weights.tensors = {{"module.head.module.weight", torch::ones({1})}};
  write_checkpoint(folder.path() / "x.pyth", out);
  EXPECT_EQ(read_checkpoint(folder.path() / "x.pyth").weights.tensors.front().first, "head.module.weight");
}

TEST(CheckpointNames, AFileWithoutTensorsIsRefused) {
  const TemporaryFolder folder;
  write_checkpoint(folder.path() / "x.pyth", {});
  try {
    read_checkpoint(folder.path() / "x.pyth");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::corrupt);
    EXPECT_THAT(e.what(), HasSubstr("x.pyth"));
    EXPECT_THAT(e.what(), HasSubstr("no weights"));
  }
}

// What the reference wrote for the net d02 (PySlowFast).
class CheckpointGolden : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("REELTAG_SHARED") == nullptr) GTEST_SKIP() << "needs REELTAG_SHARED";
    goldens_ = fs::path(std::getenv("REELTAG_SHARED")) / "goldens";
  }
  fs::path goldens_;
};

TEST_F(CheckpointGolden, LegacyWeightsAreTheVectorsOwn) {
  const Checkpoint file = read_checkpoint(goldens_ / "d02_legacy_format.pyth");
  const TensorFile want = read_safetensors(goldens_ / "d02_v2_relpos_cls.safetensors");
  EXPECT_EQ(file.format, "torch legacy");
  EXPECT_EQ(file.weights.tensors.size(), 107U);
  for (const auto& [name, tensor] : file.weights.tensors) EXPECT_TRUE(tensor.equal(want.at("param/" + name))) << name;
}

TEST_F(CheckpointGolden, TrainingStateIsThere) {
  const Checkpoint file = read_checkpoint(goldens_ / "d02_checkpoint_epoch_00005.pyth", true);
  EXPECT_EQ(file.format, "torch zip");
  EXPECT_EQ(file.epoch, 4);
  const Plan plan = make_plan(parse_recipe(file.cfg, "cfg"));
  const FitResult fitted = fit_weights(file.weights, plan, {});
  EXPECT_EQ(fitted.counts()[0], static_cast<int>(plan.parameters.size()));
  ASSERT_TRUE(file.optimizer);
  EXPECT_EQ(file.optimizer->moments.size(), 107U);
  for (const auto& [number, moments] : file.optimizer->moments) {
    EXPECT_EQ(moments.exp_avg.sizes(), moments.exp_avg_sq.sizes());
    EXPECT_GT(moments.step, 0);
  }
  EXPECT_FALSE(read_checkpoint(goldens_ / "d02_checkpoint_epoch_00005.pyth").optimizer);
}

}  // namespace
}  // namespace reeltag::model

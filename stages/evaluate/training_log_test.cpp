#include "training_log.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reeltag/base/file.hpp"

namespace reeltag::evaluate {
namespace {

TEST(TrainingLog, ReadsEpochsAndPassesOverTheRest) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "log.jsonl";
  write_file(path,
             "{\"epoch\":1,\"train_loss\":2.5,\"train_top1\":0.2,\"val_loss\":2.4,\"val_top1\":0.25,\"lr\":0.001,"
             "\"seconds_wait\":3}\n{\"epoch\":2,\"train_loss\":9}\nnot json\n{\"event\":\"resumed\"}\n"
             "{\"epoch\":2,\"train_loss\":2.0,\"val_top1\":null}\n");
  const auto epochs = read_training_log(path);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_DOUBLE_EQ(epochs[0].val_top1, 0.25);
  EXPECT_DOUBLE_EQ(epochs[0].rate, 0.001);
  EXPECT_DOUBLE_EQ(epochs[1].train_loss, 2.0);  // trained again after an interruption
  EXPECT_TRUE(std::isnan(epochs[1].val_top1));
}

TEST(TrainingLog, NoFileIsNoEpochs) { EXPECT_TRUE(read_training_log("/no/such/log.jsonl").empty()); }

}  // namespace
}  // namespace reeltag::evaluate

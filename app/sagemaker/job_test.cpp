#include "sagemaker/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::app {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

template <class Function>
std::string complaint(const Function& function) {
  try {
    function();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::invalid_config);
    return e.what();
  }
  return "none";
}

TEST(Hyperparameters, AreTextsOfTypedValues) {
  const auto h = hyperparameters_of(json::parse(R"({"epochs":"30","learning_rate":"0.01","frozen":"true",
      "blocks":"[image.mean, mvit]","recipe":"\"MVITv2_S_16x4\"","labels":"single",
      "SOLVER.WEIGHT_DECAY":"0.05","DATA.MEAN":"[0.45, 0.45, 0.45]","train.threads":"2",
      "sagemaker_program":"x.py","sagemaker_job_name":"\"j\"","_tuning_objective_metric":"val_map"})"));
  EXPECT_EQ(h.known.epochs, 30);
  EXPECT_DOUBLE_EQ(h.known.learning_rate, 0.01);
  EXPECT_TRUE(h.known.frozen);
  EXPECT_THAT(h.known.blocks, ElementsAre("image.mean", "mvit"));
  EXPECT_EQ(h.known.recipe, "MVITv2_S_16x4");
  EXPECT_EQ(h.known.labels, "single");
  EXPECT_THAT(h.keys, ElementsAre("DATA.MEAN=[0.45, 0.45, 0.45]", "SOLVER.WEIGHT_DECAY=0.05"));
  EXPECT_THAT(h.sets, ElementsAre("train.threads=2"));
}

TEST(Hyperparameters, WrongOnesAreNamedWithTheNearest) {
  EXPECT_THAT(complaint([] { hyperparameters_of({{"epoch", "3"}}); }), HasSubstr("epochs"));
  EXPECT_THAT(complaint([] { hyperparameters_of({{"epochs", "three"}}); }), HasSubstr("hyperparameters.json"));
  EXPECT_THAT(complaint([] { hyperparameters_of({{"epochs", "-3"}}); }), HasSubstr("epochs"));
  EXPECT_THAT(complaint([] { hyperparameters_of({{"labels", "both"}}); }), HasSubstr("single"));
  EXPECT_NE(complaint([] { hyperparameters_of(json::array()); }), "none");
}

TEST(Channels, HaveTheirMode) {
  const auto channels = channels_of(json::parse(R"({"train":{"TrainingInputMode":"Pipe","ContentType":"x"},
      "validation":{"TrainingInputMode":"FastFile"},"config":{"S3DistributionType":"FullyReplicated"}})"));
  EXPECT_TRUE(channels.at("train").pipe);
  EXPECT_FALSE(channels.at("validation").pipe);
  EXPECT_FALSE(channels.at("config").pipe);
  EXPECT_THAT(complaint([] { channels_of({{"train", {{"TrainingInputMode", "Tape"}}}}); }), HasSubstr("train"));
}

TEST(Hosts, RankIsThePlaceInTheSortedList) {
  const auto hosts = hosts_of(
      json::parse(R"({"current_host":"algo-2","hosts":["algo-3","algo-1","algo-2"],"network_interface_name":"eth0"})"));
  EXPECT_EQ(hosts.rank, 1U);
  EXPECT_THAT(peer_variables(hosts), ElementsAre(Pair("RANK", "1"), Pair("WORLD_SIZE", "3"), Pair("LOCAL_RANK", "0"),
                                                 Pair("MASTER_ADDR", "algo-1"), Pair("MASTER_PORT", "29500"),
                                                 Pair("GLOO_SOCKET_IFNAME", "eth0")));
}

TEST(Hosts, OneTrainsAlone) {
  EXPECT_THAT(peer_variables(hosts_of({{"current_host", "algo-1"}, {"hosts", {"algo-1"}}})), IsEmpty());
  EXPECT_THAT(peer_variables({}), IsEmpty());
}

TEST(Hosts, MustKnowThemselves) {
  EXPECT_THAT(complaint([] { hosts_of({{"current_host", "algo-9"}, {"hosts", {"algo-1"}}}); }), HasSubstr("algo-9"));
  EXPECT_NE(complaint([] { hosts_of({{"hosts", {"algo-1"}}}); }), "none");
  EXPECT_NE(complaint([] { hosts_of({{"current_host", "algo-1"}, {"hosts", "algo-1"}}); }), "none");
}

TEST(MetricsLine, IsStable) {
  EXPECT_EQ(metrics_line(R"({"val_map":0.41234567,"epoch":3,"train_loss":2,"note":"x"})"),
            "epoch=3 train_loss=2 val_map=0.412346");
  EXPECT_EQ(metrics_line("{"), "");
  EXPECT_EQ(metrics_line(R"({"event":"other"})"), "");
}

}  // namespace
}  // namespace reeltag::app

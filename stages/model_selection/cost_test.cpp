#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Net net(const std::string& name, double multiply_adds, std::int64_t parameters = 1000) {
  Net n{.name = name, .parameters = parameters, .multiply_adds = multiply_adds};
  n.recipe.mvit.depth = static_cast<int>(name.size());  // recipes of their own
  return n;
}

// One multiply-add a nanosecond, and a note of which nets were run.
struct Stopwatch {
  std::vector<std::string> ran;

  Result<Measurement> operator()(const Net& n) {
    ran.push_back(n.name);
    if (n.name == "broken") return fail(Code::unavailable, "out of memory");
    return Measurement{.ms_per_view = n.multiply_adds / 1e6, .peak_bytes = 5e8};
  }
};

class MeasureNets : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  Stopwatch watch;
  std::vector<Net> nets{net("bigger", 5e9), net("small", 1e9)};
  MeasureOptions options{.machine = {.cpu = "a cpu", .threads = 2, .free_bytes = 1e10},
                         .program = "1",
                         .libtorch = "2",
                         .kept = folder.path() / "choose" / "measured.json"};

  void run() { measure_nets(nets, options, std::ref(watch), nullptr); }
  void forget() {
    watch.ran.clear();
    for (auto& n : nets) n.cost = {};
  }
};

TEST_F(MeasureNets, InRisingOrderOfMultiplyAdds) {
  run();
  EXPECT_THAT(watch.ran, ElementsAre("small", "bigger"));
  EXPECT_TRUE(nets[0].cost.measured);
  EXPECT_DOUBLE_EQ(nets[0].cost.ms_per_view, 5000.0);
}

TEST_F(MeasureNets, ASecondCallAnswersFromWhatWasKept) {
  run();
  forget();
  run();
  EXPECT_THAT(watch.ran, IsEmpty());
  EXPECT_TRUE(nets[0].cost.measured);
  EXPECT_DOUBLE_EQ(nets[0].cost.ms_per_view, 5000.0);
  EXPECT_DOUBLE_EQ(nets[0].cost.peak_bytes, 5e8);
}

TEST_F(MeasureNets, AnotherMachineVersionOrRecipeIsMeasuredAgain) {
  run();
  const auto measured_again = [&](auto change) {
    forget();
    const auto before = options;
    change();
    run();
    options = before;
    return watch.ran.size();
  };
  EXPECT_EQ(measured_again([&] { options.machine.threads = 1; }), 2U);
  EXPECT_EQ(measured_again([&] { options.machine.cpu = "another"; }), 2U);
  EXPECT_EQ(measured_again([&] { options.libtorch = "3"; }), 2U);
  EXPECT_EQ(measured_again([&] { options.program = "9"; }), 2U);
  EXPECT_EQ(measured_again([&] { nets[0].recipe.mvit.embed_dim = 7; }), 1U);
  EXPECT_EQ(measured_again([&] { options.fresh = true; }), 2U);
  EXPECT_EQ(measured_again([] {}), 0U);  // each measurement was saved separately
}

TEST_F(MeasureNets, TwoNamesOfOneRecipeAreMeasuredOnce) {
  Net twin = nets[1];
  twin.name = "twin";
  nets.push_back(twin);
  for (const bool fresh : {false, true}) {
    options.fresh = fresh;
    forget();
    run();
    EXPECT_THAT(watch.ran, ElementsAre("small", "bigger"));
    EXPECT_DOUBLE_EQ(nets[2].cost.ms_per_view, 1000.0);
  }
}

TEST_F(MeasureNets, WhatWouldTakeTooLongIsEstimatedFromTheNearestInSize) {
  nets.push_back(net("huge net", 300e9));
  run();
  EXPECT_THAT(watch.ran, ElementsAre("small", "bigger"));
  EXPECT_FALSE(nets[2].cost.measured);
  EXPECT_NEAR(nets[2].cost.ms_per_view, 300e3, 1.0);
  EXPECT_TRUE(nets[2].cost.failure.empty());
  options.all = true;
  run();
  EXPECT_TRUE(nets[2].cost.measured);
}

TEST_F(MeasureNets, WhatNeedsMoreMemoryThanIsFreeIsEstimated) {
  nets.push_back(net("wide net", 6e9, 4'000'000'000));  // 16 GB of weights
  run();
  EXPECT_THAT(watch.ran, ElementsAre("small", "bigger"));
  EXPECT_FALSE(nets[2].cost.measured);
  EXPECT_NEAR(nets[2].cost.peak_bytes, 16.2e9, 1e8);
}

TEST_F(MeasureNets, ANetThatFailsIsNamedAndTheRestGoesOn) {
  nets.push_back(net("broken", 2e9));
  run();
  EXPECT_THAT(watch.ran, ElementsAre("small", "broken", "bigger"));
  EXPECT_EQ(nets[2].cost.failure, "out of memory");
  EXPECT_FALSE(nets[2].cost.measured);
  EXPECT_TRUE(nets[0].cost.measured);
}

TEST_F(MeasureNets, AStopEndsItAndKeepsWhatWasMeasured) {
  const auto stopping = [&](const Net& n) -> Result<Measurement> {
    if (n.name == "bigger") return fail(Code::interrupted, "stopped");
    return watch(n);
  };
  EXPECT_THROW(measure_nets(nets, options, stopping, nullptr), Exception);
  forget();
  run();
  EXPECT_THAT(watch.ran, ElementsAre("bigger"));
}

TEST_F(MeasureNets, ADamagedFileIsMeasuredOver) {
  run();
  write_file(options.kept, "{\"format\":1,\"measured\":[{\"recipe\":");
  forget();
  run();
  EXPECT_EQ(watch.ran.size(), 2U);
}

TEST(ActivationBytes, CountsTheLargestBlock) {
  model::Plan plan;
  model::BlockPlan block;
  block.dim_in = block.dim_out = block.dim_attention = 8;
  block.heads = 2;
  block.mlp_hidden = 32;
  block.grid_in = block.grid_q = {2, 4, 4};  // 32 tokens
  block.grid_kv = {2, 2, 2};                 // 8
  plan.blocks.push_back(block);
  // attention: 32*8 + 3*32*8 + (32+16)*8 + 2*2*32*8 = 2432; MLP: 2*32*8 + 2*32*32 = 2560
  EXPECT_DOUBLE_EQ(activation_bytes(plan), 4.0 * 2560);
  plan.blocks.back().heads = 4;  // attention: 3456
  EXPECT_DOUBLE_EQ(activation_bytes(plan), 4.0 * 3456);
}

TEST(ThisMachine, HasMemoryAndAName) {
  const Machine machine = this_machine(3);
  EXPECT_EQ(machine.threads, 3);
  EXPECT_FALSE(machine.cpu.empty());
  EXPECT_GT(machine.free_bytes, 1e8);
}

}  // namespace
}  // namespace reeltag::model_selection

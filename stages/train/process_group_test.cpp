#include "process_group.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace reeltag::train {
namespace {

using testing::HasSubstr;
using torch::Tensor;
using namespace std::chrono_literals;

// Below Linux's ephemeral ports (32768 and up), which other tests use by the thousand.
int free_port() {
  std::random_device random;
  std::uniform_int_distribution<int> ports(20'000, 32'000);
  for (;;) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const int port = ports(random);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;  // NOLINT(*-cast)
    close(fd);
    if (is_free) return port;
  }
}

World world_of(int size) {
  World world;
  world.size = size;
  world.address = "127.0.0.1";
  world.port = free_port();
  return world;
}

// Runs part on every rank, each in a thread; returns what each threw.
template <class Part>
std::vector<std::string> on_every_rank(const World& world, const Part& part, std::chrono::seconds timeout = 20s) {
  std::vector<std::string> errors(static_cast<std::size_t>(world.size));
  std::vector<std::jthread> threads;
  for (int r = 0; r < world.size; ++r) {
    threads.emplace_back([&, r] {
      World own = world;
      own.rank = r;
      try {
        ProcessGroup group(own, timeout);
        part(group);
      } catch (const std::exception& e) {
        errors[static_cast<std::size_t>(r)] = e.what();
      }
    });
  }
  threads.clear();  // joins
  return errors;
}

TEST(ProcessGroup, SumGatherAndBroadcast) {
  std::array<std::vector<Tensor>, 3> sums, weights;
  std::array<std::vector<std::string>, 3> gathered;
  const auto errors = on_every_rank(world_of(3), [&](ProcessGroup& group) {
    const auto r = static_cast<std::size_t>(group.rank());
    sums[r] = {torch::full({1000}, 0.1F * static_cast<float>(r + 1)), torch::full({2}, group.rank(), torch::kInt64)};
    group.sum(sums[r]);
    gathered[r] = group.gather(std::string(r * 1000, static_cast<char>('a' + r)));
    weights[r] = {torch::full({3, 2}, static_cast<float>(r)), torch::full({}, static_cast<float>(r + 5))};
    group.broadcast(weights[r]);
    group.barrier();
  });
  EXPECT_THAT(errors, testing::Each(""));
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_NEAR(sums[r][0][999].item<float>(), 0.6F, 1e-6);
    EXPECT_TRUE(sums[r][0].equal(sums[0][0]));
    EXPECT_EQ(sums[r][1][0].item<std::int64_t>(), 3);
    EXPECT_EQ(gathered[r], (std::vector<std::string>{"", std::string(1000, 'b'), std::string(2000, 'c')}));
    EXPECT_TRUE(weights[r][0].equal(torch::zeros({3, 2})));
    EXPECT_EQ(weights[r][1].item<float>(), 5.0F);
  }
}

TEST(ProcessGroup, AloneNothingIsOpened) {
  ProcessGroup group({}, 1s);
  const Tensor x = torch::ones({2});
  group.sum({x});
  group.broadcast({x});
  group.barrier();
  EXPECT_EQ(group.gather("mine"), std::vector<std::string>{"mine"});
  EXPECT_EQ(plan_step(group, 7, true).clips, 7);
  EXPECT_TRUE(plan_step(group, 7, true).stop);
}

TEST(ProcessGroup, ATurnSaysWhereOnesClipsStandAndCarriesTheStop) {
  std::array<StepPlan, 3> turns;
  std::array<bool, 3> stops{};
  const auto errors = on_every_rank(world_of(3), [&](ProcessGroup& group) {
    const auto r = static_cast<std::size_t>(group.rank());
    turns[r] = plan_step(group, r == 1 ? 0 : r + 2, false);  // 2, 0 and 4 clips
    stops[r] = plan_step(group, 1, r == 2).stop;
  });
  EXPECT_THAT(errors, testing::Each(""));
  EXPECT_THAT(stops, testing::Each(true));
  const std::array<std::int64_t, 3> first{0, 2, 2};
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(turns[r].clips, 6);
    EXPECT_EQ(turns[r].first, first[r]);
    EXPECT_FALSE(turns[r].stop);
  }
}

// Rows of a linear layer: 3 on rank 0, none on rank 1, 2 on rank 2; the mean over all five must come out.
TEST(GradientSum, IsTheGradientOfTheMeanOverAllClips) {
  const Tensor rows = torch::rand({5, 4}), start = torch::rand({4});
  const auto loss_of = [](const Tensor& w, const Tensor& x) { return x.matmul(w).square().mean(); };
  const Tensor want = start.clone().requires_grad_();
  loss_of(want, rows).backward();
  std::array<Tensor, 3> got;
  std::array<bool, 3> unused_stays{};
  const auto errors = on_every_rank(world_of(3), [&](ProcessGroup& group) {
    const auto r = static_cast<std::size_t>(group.rank());
    const std::array<std::int64_t, 4> begin{0, 3, 3, 5};
    const Tensor w = start.clone().requires_grad_(), unused = torch::ones({2}).requires_grad_();
    const Tensor own = rows.narrow(0, begin[r], begin[r + 1] - begin[r]);
    GradientSum gradients(group, {{"w", w}, {"unused", unused}, {"frozen", torch::ones({3})}});
    StepFigures figures{.loss = 0.0, .clips = own.size(0), .hits = group.rank()};
    if (own.size(0) > 0) {
      const Tensor loss = loss_of(w, own);
      loss.backward();
      figures.loss = loss.item<double>();
    }
    const auto all = gradients.reduce(figures);
    EXPECT_EQ(all[0].clips + all[1].clips + all[2].clips, 5);
    EXPECT_EQ(all[2].hits, 2);
    got[r] = w.grad();
    unused_stays[r] = !unused.grad().defined();
  });
  EXPECT_THAT(errors, testing::Each(""));
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_LE((got[r] - want.grad()).abs().max().item<double>(), 1e-6);
    EXPECT_TRUE(got[r].equal(got[0]));
    EXPECT_TRUE(unused_stays[r]);
  }
}

TEST(ProcessGroup, ARankThatIsGoneIsNamedAtOnce) {
  const auto begin = std::chrono::steady_clock::now();
  const auto errors = on_every_rank(world_of(4), [&](ProcessGroup& group) {
    group.barrier();
    if (group.rank() == 2) return;
    for (int i = 0; i < 100; ++i) group.barrier();
  });
  for (const int r : {0, 1, 3}) EXPECT_THAT(errors[static_cast<std::size_t>(r)], HasSubstr("rank 2 of 4 is gone"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(ProcessGroup, TheFirstRankIsNamedToo) {
  const auto errors = on_every_rank(world_of(3), [&](ProcessGroup& group) {
    group.barrier();
    if (group.first()) return;
    group.barrier();
  });
  for (const int r : {1, 2}) EXPECT_THAT(errors[static_cast<std::size_t>(r)], HasSubstr("rank 0 of 3 is gone"));
}

TEST(ProcessGroup, ARankThatHangsIsNamedWithinTheTimeout) {
  const auto begin = std::chrono::steady_clock::now();
  const auto errors = on_every_rank(
      world_of(2),
      [&](ProcessGroup& group) {
        group.barrier();
        if (group.rank() == 1)
          std::this_thread::sleep_for(5s);
        else
          group.barrier();
      },
      2s);
  EXPECT_THAT(errors[0], HasSubstr("rank 1 of 2 is gone"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
}

TEST(ProcessGroup, ARankThatLeavesSaysWhy) {
  for (const int leaver : {0, 2}) {
    const auto errors = on_every_rank(world_of(3), [&](ProcessGroup& group) {
      if (group.rank() == leaver) return group.leave("the disk is full");
      group.barrier();
    });
    for (int r = 0; r < 3; ++r) {
      if (r == leaver) continue;
      EXPECT_THAT(errors[static_cast<std::size_t>(r)],
                  HasSubstr("rank " + std::to_string(leaver) + " of 3 has ended: the disk is full"));
    }
  }
}

TEST(ProcessGroup, ARankThatDoesNotComeIsNamed) {
  World world = world_of(2);
  try {
    ProcessGroup group(world, 1s);
    FAIL() << "it must not join";
  } catch (const RankLost& e) {
    EXPECT_EQ(e.code(), Code::unavailable);
    EXPECT_THAT(e.what(), HasSubstr("rank 1 of 2 did not come"));
  }
  world.rank = 1;
  try {
    ProcessGroup group(world, 1s);
    FAIL() << "it must not join";
  } catch (const RankLost& e) {
    EXPECT_THAT(e.what(), HasSubstr("cannot join the others at 127.0.0.1:" + std::to_string(world.port)));
  }
}

TEST(ProcessGroup, MeetAtALaunchersStore) {
  World world = world_of(2);
  world.launcher_store = true;
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(world.port);
  options.isServer = true;
  options.waitWorkers = false;
  const c10d::TCPStore launcher(world.address, options);
  for (world.attempt = 0; world.attempt < 2; ++world.attempt) {
    EXPECT_THAT(on_every_rank(world, [](ProcessGroup& group) { group.barrier(); }), testing::Each(""));
  }
}

class WorldFromEnvironment : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID", "SLURM_NTASKS",
          "SLURM_LOCALID", "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"})
      unsetenv(name);
  }
  static void set(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) setenv(name, value, 1);
  }
  static std::string message() {
    try {
      world_from_environment();
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      return e.what();
    }
    return "no exception";
  }
};

TEST_F(WorldFromEnvironment, IsOneProcessWithoutIt) {
  EXPECT_EQ(world_from_environment().size, 1);
  set({{"WORLD_SIZE", "1"}, {"RANK", "0"}, {"MASTER_ADDR", "x"}});
  EXPECT_EQ(world_from_environment().size, 1);
}

TEST_F(WorldFromEnvironment, ReadsWhatTorchrunSets) {
  set({{"RANK", "5"},
       {"WORLD_SIZE", "8"},
       {"LOCAL_RANK", "1"},
       {"MASTER_ADDR", "10.0.0.7"},
       {"MASTER_PORT", "29501"},
       {"TORCHELASTIC_USE_AGENT_STORE", "True"},
       {"TORCHELASTIC_RESTART_COUNT", "2"}});
  const World world = world_from_environment();
  EXPECT_EQ(world.rank, 5);
  EXPECT_EQ(world.size, 8);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.address, "10.0.0.7");
  EXPECT_EQ(world.port, 29501);
  EXPECT_TRUE(world.launcher_store);
  EXPECT_EQ(world.attempt, 2);
}

TEST_F(WorldFromEnvironment, ReadsSlurmsOnlyWithAnAddress) {
  set({{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "4"}, {"SLURM_LOCALID", "1"}});
  EXPECT_EQ(world_from_environment().size, 1);
  set({{"MASTER_ADDR", "node1"}});
  EXPECT_EQ(world_from_environment().rank, 3);
  EXPECT_EQ(world_from_environment().size, 4);
}

TEST_F(WorldFromEnvironment, NamesTheVariableThatIsWrong) {
  set({{"WORLD_SIZE", "2"}});
  EXPECT_THAT(message(), HasSubstr("has no RANK"));
  set({{"RANK", "2"}});
  EXPECT_THAT(message(), HasSubstr("has no MASTER_ADDR"));
  set({{"MASTER_ADDR", "localhost"}});
  EXPECT_THAT(message(), HasSubstr("RANK is \"2\""));
  set({{"RANK", "1"}, {"MASTER_PORT", "http"}});
  EXPECT_THAT(message(), HasSubstr("MASTER_PORT is \"http\""));
}

}  // namespace
}  // namespace reeltag::train

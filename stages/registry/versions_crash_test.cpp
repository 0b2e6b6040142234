// Concurrent promotions and publications, and processes that are killed during them.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/registry.hpp"
#include "test_bundle.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using ::testing::SizeIs;

const Validator kWorks = [](const fs::path&) {};

// Forks a child that runs this and exits with 0, or with 1 if it throws.
template <class Run>
pid_t fork_for(const Run& run) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 0;
  try {
    run();
  } catch (const std::exception&) {
    status = 1;
  }
  ::_exit(status);
}

int status_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Crashes : public ::testing::Test {
 protected:
  fs::path bundle(int number) {
    const fs::path made = home / "work" / std::to_string(number);
    if (!fs::exists(made)) make_bundle(made, std::string(200'000, 'w') + std::to_string(number));
    return made;
  }
  void publish(int number) { models.publish(bundle(number), "hashtags", {.by = "me"}); }
  // Invariants: every alias names a version whose files are intact, and the history has no hole.
  void check() {
    for (const auto& version : models.versions("hashtags")) {
      EXPECT_EQ(version.fault, "");
      EXPECT_NO_THROW(models.get(version.id));
    }
    for (const auto& [alias, number] : models.aliases("hashtags")) EXPECT_NO_THROW(models.get({"hashtags", number}));
    EXPECT_NO_THROW(models.history("hashtags"));
  }
  // Runs it in a child that is killed after a random time of up to twice its duration; returns how many were killed.
  template <class Run>
  int kill_often(int times, const Run& run) {
    const auto begin = std::chrono::steady_clock::now();
    run(0);
    const auto took = std::chrono::steady_clock::now() - begin;
    std::mt19937 random(7);
    int killed = 0;
    for (int i = 1; i <= times; ++i) {
      const pid_t child = fork_for([&] { run(i); });
      std::this_thread::sleep_for(took * (static_cast<double>(random()) / std::mt19937::max()) * 2);
      ::kill(child, SIGKILL);
      const int status = status_of(child);
      EXPECT_TRUE(status == 0 || status == -SIGKILL) << status;
      killed += status == 0 ? 0 : 1;
      check();
    }
    return killed;
  }

  TemporaryFolder folder;
  fs::path home = folder.path() / "home";
  Registry models{home / "models"};
};

TEST_F(Crashes, OfProcessesThatPromoteFromTheSameVersionOneWins) {
  constexpr int kProcesses = 6;
  for (int i = 0; i <= kProcesses; ++i) publish(i);
  models.promote({"hashtags", 1}, "champion", kWorks, {});
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(fork_for([&] { models.promote({"hashtags", i + 2}, "champion", kWorks, {}, 1); }));
  }
  int won = 0;
  for (const auto child : children) won += status_of(child) == 0 ? 1 : 0;
  EXPECT_EQ(won, 1);
  const auto history = models.history("hashtags");
  EXPECT_THAT(history, SizeIs(kProcesses + 3));
  EXPECT_EQ(models.aliases("hashtags")["champion"], history.back().version);
  check();
}

TEST_F(Crashes, ProcessesThatPublishAtOnceGetNumbersOfTheirOwn) {
  constexpr int kProcesses = 6;
  for (int i = 0; i < kProcesses; ++i) bundle(i);
  std::vector<pid_t> children;
  for (int i = 0; i < 2 * kProcesses; ++i) children.push_back(fork_for([&] { publish(i % kProcesses); }));
  for (const auto child : children) EXPECT_EQ(status_of(child), 0);
  const auto versions = models.versions("hashtags");
  ASSERT_THAT(versions, SizeIs(kProcesses));
  std::set<std::string> digests;
  for (int i = 0; i < kProcesses; ++i) {
    EXPECT_EQ(versions[static_cast<std::size_t>(i)].id.number, i + 1);
    digests.insert(versions[static_cast<std::size_t>(i)].digest);
  }
  EXPECT_THAT(digests, SizeIs(kProcesses));
  check();
}

TEST_F(Crashes, KilledWhilePublishing) {
  constexpr int kTimes = 40;
  for (int i = 0; i <= kTimes; ++i) bundle(i);
  EXPECT_GT(kill_often(kTimes, [&](int i) { publish(i); }), 5);
  // After publishing again, each version exists exactly once and no temporary files are left.
  for (int i = 0; i <= kTimes; ++i) publish(i);
  check();
  const auto versions = models.versions("hashtags");
  EXPECT_THAT(versions, SizeIs(kTimes + 1));
  EXPECT_THAT(models.history("hashtags"), SizeIs(kTimes + 1));
  std::int64_t entries = 0;
  for (const auto& entry : fs::directory_iterator(home / "models" / "hashtags")) {
    static_cast<void>(entry);
    ++entries;
  }
  EXPECT_EQ(entries, kTimes + 1 + 2);  // the versions, history and lock
}

TEST_F(Crashes, KilledWhilePromoting) {
  constexpr int kVersions = 3;
  for (int i = 0; i < kVersions; ++i) publish(i);
  const auto promote = [&](int i) { models.promote({"hashtags", 1 + i % kVersions}, "champion", kWorks, {}); };
  EXPECT_GT(kill_often(60, promote), 5);
  std::int64_t named = 0;
  for (const auto& change : models.history("hashtags")) {
    if (change.act != Act::promote) continue;
    EXPECT_EQ(change.from, named);
    named = change.version;
  }
  EXPECT_EQ(models.aliases("hashtags")["champion"], named);
}

TEST_F(Crashes, AcknowledgedIsThereAfterTheKill) {
  for (int i = 0; i < 2; ++i) publish(i);
  for (int i = 0; i < 10; ++i) {
    const std::int64_t version = 1 + i % 2;
    const pid_t child = fork_for([&] {
      models.promote({"hashtags", version}, "champion", kWorks, {});
      ::raise(SIGKILL);
    });
    EXPECT_EQ(status_of(child), -SIGKILL);
    EXPECT_EQ(models.aliases("hashtags")["champion"], version);
  }
}

// Between the folder's rename and its line of the history, and between a removal's line and the files.
TEST_F(Crashes, TheNextOneFinishesWhatWasBegun) {
  publish(0);
  const std::string before = *read_file(home / "models" / "hashtags" / "history.jsonl", 1 << 20);
  publish(1);
  write_file(home / "models" / "hashtags" / "history.jsonl", before);
  EXPECT_THAT(models.versions("hashtags"), SizeIs(2));
  EXPECT_NO_THROW(models.get({"hashtags", 2}));
  publish(2);
  const auto history = models.history("hashtags");
  ASSERT_THAT(history, SizeIs(3));
  EXPECT_EQ(history[1].version, 2);
  EXPECT_EQ(history[1].by, "me");

  const fs::path two = home / "models" / "hashtags" / "2";
  fs::copy(two, home / "kept");
  models.remove({"hashtags", 2}, {});
  fs::copy(home / "kept", two);
  EXPECT_THAT(models.versions("hashtags"), SizeIs(2));
  EXPECT_THROW(models.get({"hashtags", 2}), Exception);
  publish(3);
  EXPECT_FALSE(fs::exists(two));
  check();
}

}  // namespace
}  // namespace reeltag::registry

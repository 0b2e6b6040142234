// Uses small scripted programs as bridges; the last tests go through the real guard.
#include "sources/bridge.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "reeltag/base/file.hpp"
#include "sources/bridge_python.hpp"

namespace reeltag::collect {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }
std::vector<std::string> behind_the_guard(const std::string& script, std::int64_t memory = 1LL << 30) {
  return {find_program({"python3"}),
          (bridges_folder() / "guard.py").string(),
          "--memory",
          std::to_string(memory),
          "--",
          "/bin/sh",
          "-c",
          script};
}

bool is_dead(pid_t process) {
  for (int look = 0; look < 500; ++look) {
    if (::kill(process, 0) != 0) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(Bridge, AnswersOneLineToEachQuestion) {
  Bridge bridge({});
  EXPECT_FALSE(bridge.runs());
  ASSERT_TRUE(bridge.start(shell("while read line; do echo \"{\\\"got\\\":$line}\"; done")));
  for (int n = 0; n < 3; ++n) {
    const auto answer = bridge.ask({{"n", n}}, 10s);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->at("got").at("n"), n);
  }
  bridge.end();
  EXPECT_FALSE(bridge.runs());
  EXPECT_FALSE(bridge.ask({}, 1s));
}

TEST(Bridge, OneThatEndsLeavesItsLastWordsAndCanBeStartedAgainSomeTimes) {
  Bridge bridge({.restarts = 2});
  for (int start = 0; start < 3; ++start) {
    EXPECT_FALSE(bridge.is_spent());
    ASSERT_TRUE(bridge.start(shell("read line; echo lost its way >&2; exit 3")));
    const auto answer = bridge.ask({}, 10s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::unavailable);
    EXPECT_THAT(answer.error().message, HasSubstr("lost its way"));
    EXPECT_FALSE(bridge.runs());
  }
  EXPECT_TRUE(bridge.is_spent());
  EXPECT_FALSE(bridge.start(shell("cat")));
}

TEST(Bridge, OneThatHangsOrTalksNonsenseIsEnded) {
  Bridge bridge({.grace = 50ms});
  ASSERT_TRUE(bridge.start(shell("sleep 100")));
  const auto late = bridge.ask({}, 100ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_FALSE(bridge.runs());
  for (const auto* said : {"nonsense", "[1]", "{\\\"half\\\":"}) {
    ASSERT_TRUE(bridge.start(shell("read line; echo \"" + std::string(said) + "\"; cat")));
    EXPECT_FALSE(bridge.ask({}, 10s)) << said;
    EXPECT_FALSE(bridge.runs());
  }
}

TEST(Bridge, AStopEndsItAtOnce) {
  std::stop_source stop;
  Bridge bridge({.stop = stop.get_token()});
  ASSERT_TRUE(bridge.start(shell("cat > /dev/null")));
  std::jthread soon([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  try {
    (void)bridge.ask({}, 60s);
    FAIL() << "it went on";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::interrupted);
  }
  EXPECT_FALSE(bridge.runs());
}

TEST(Bridge, SeesNeitherProxiesNorOtherCredentials) {
  ::setenv("https_proxy", "http://proxy.example:1", 1);
  ::setenv("REELTAG_RESEARCH_CLIENT_SECRET", "s", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "aws", 1);
  ::setenv("REELTAG_TIKTOK_MS_TOKEN", "k", 1);
  Bridge bridge({});
  ASSERT_TRUE(
      bridge.start(shell("read line; echo "
                         "\"{\\\"seen\\\":\\\"$https_proxy|$REELTAG_RESEARCH_CLIENT_SECRET$AWS_SECRET_ACCESS_KEY|$"
                         "REELTAG_TIKTOK_MS_TOKEN\\\"}\"; cat")));
  for (const auto* name :
       {"https_proxy", "REELTAG_RESEARCH_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "REELTAG_TIKTOK_MS_TOKEN"})
    ::unsetenv(name);
  const auto answer = bridge.ask({}, 10s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->at("seen"), "||k");
}

// A grandchild in its own session, as browsers are: {"pid","folder"}.
constexpr const char* kStray =
    "setsid sleep 100 & read line; echo \"{\\\"pid\\\":$!,\\\"folder\\\":\\\"$TMPDIR\\\"}\"; cat";

TEST(Guard, EndsWhatWasStartedAlsoInASessionOfItsOwn) {
  Bridge bridge({});
  ASSERT_TRUE(bridge.start(behind_the_guard(kStray)));
  const auto answer = bridge.ask({}, 20s);
  ASSERT_TRUE(answer) << answer.error().message;
  const auto stray = answer->at("pid").get<pid_t>();
  const std::filesystem::path folder = answer->at("folder").get<std::string>();
  EXPECT_EQ(::kill(stray, 0), 0);
  EXPECT_TRUE(std::filesystem::is_directory(folder));
  bridge.end();
  EXPECT_TRUE(is_dead(stray));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Guard, EndsAllWhenItsProgramEndsAndPassesTheStatusOn) {
  const TemporaryFolder folder("bridge-test");
  const auto file = folder.path() / "pid";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor in(ends[0]), held(ends[1]);  // closing it would end it too
  auto process = Process::start(behind_the_guard("setsid sleep 100 & echo $! > " + file.string() + "; exit 5"),
                                {.in = in.get(), .environment = {"PATH=/usr/bin:/bin"}});
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_TRUE(process->wait(20s));
  EXPECT_EQ(process->end(), 5);
  pid_t stray = 0;
  std::ifstream(file) >> stray;
  ASSERT_GT(stray, 0);
  EXPECT_TRUE(is_dead(stray));
}

TEST(Guard, EndsWhatTakesTooMuchMemory) {
  Bridge bridge({});
  ASSERT_TRUE(
      bridge.start(behind_the_guard("exec " + find_program({"python3"}).string() +
                                        " -c 'import time; b = bytearray(b\"x\" * (200 << 20)); time.sleep(100)'",
                                    100LL << 20)));
  const auto answer = bridge.ask({}, 30s);
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("over its 100 MB of memory"));
}

}  // namespace
}  // namespace reeltag::collect

#include "reeltag/base/subprocess.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "reeltag/base/file.hpp"

namespace reeltag {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

Result<RunResult> shell(const std::string& script, const RunOptions& options = {}) {
  return run({"sh", "-c", script}, options);
}

bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// True if it has ended, or is a zombie waiting for its parent.
bool is_dead(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return true;
  return text.substr(text.rfind(')') + 2, 1) == "Z";
}

TEST(Run, GivesStatusAndBothOutputs) {
  const auto done = shell("printf out; printf err >&2; exit 3");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->status, 3);
  EXPECT_EQ(done->out, "out");
  EXPECT_EQ(done->err, "err");
}

TEST(Run, NoShellTouchesTheArguments) {
  const auto done = run({"printf", "%s|", "a b", "$HOME", "*", "", "; rm x", "'\""});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->out, "a b|$HOME|*||; rm x|'\"|");
}

TEST(Run, GivesOutputAsItComesWhateverWayItEnds) {
  std::string out;
  RunOptions options{.deadline = 300ms, .grace = 0ms, .on_out = [&](std::string_view piece) { out += piece; }};
  EXPECT_EQ(shell("echo one; sleep 60", options).error().code, Code::timeout);
  EXPECT_EQ(out, "one\n");
  out.clear();
  options.deadline = 60s;
  const auto done = shell("echo one; kill -9 $$", options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status, 128 + SIGKILL);
  EXPECT_EQ(out + "|" + done->out, "one\n|");
  options.on_out = [](std::string_view) { throw Exception(Code::corrupt, "seen enough"); };
  EXPECT_EQ(shell("echo one; sleep 60", options).error().code, Code::corrupt);
}

TEST(Run, ASignalShowsInTheStatus) { EXPECT_EQ(shell("kill -SEGV $$").value().status, 128 + SIGSEGV); }

TEST(Run, FeedsStdinAndDrainsMoreThanAPipeHolds) {
  std::string input;
  for (int i = 0; i < 300'000; ++i) input += "line " + std::to_string(i) + "\n";
  const auto done = shell("tee /dev/stderr", {.input = input});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->out, input);
  EXPECT_EQ(done->err, input);
}

TEST(Run, AChildThatReadsNothingIsNoFailure) {
  std::string input;
  input.resize(10'000'000, 'x');
  const auto done = run({"true"}, {.input = input});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status, 0);
}

TEST(Run, WithoutInputStdinIsAtItsEnd) { EXPECT_EQ(shell("cat; echo end").value().out, "end\n"); }

TEST(Run, SaysWhenThereIsNoSuchProgram) {
  const auto missing = run({"no-such-program-here"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("'no-such-program-here'"));
  EXPECT_EQ(run({}).error().code, Code::invalid_argument);
  EXPECT_EQ(run({"echo", std::string("a\0b", 3)}).error().code, Code::invalid_argument);
  EXPECT_EQ(run({"/etc/passwd"}).error().code, Code::permission_denied);
}

TEST(Run, FolderAndEnvironment) {
  const TemporaryFolder folder;
  const auto real = std::filesystem::canonical(folder.path()).string();
  EXPECT_EQ(shell("pwd -P", {.folder = folder.path()}).value().out, real + "\n");
  EXPECT_EQ(shell("true", {.folder = "/no/such/folder"}).error().code, Code::not_found);
  ::setenv("REELTAG_TEST_KEPT", "kept", 1);
  ::setenv("REELTAG_TEST_CHANGED", "old", 1);
  const auto done = shell("echo $REELTAG_TEST_KEPT $REELTAG_TEST_CHANGED $REELTAG_TEST_NEW",
                          {.environment = {{"REELTAG_TEST_CHANGED", "changed"}, {"REELTAG_TEST_NEW", "a=b"}}});
  EXPECT_EQ(done.value().out, "kept changed a=b\n");
}

TEST(Run, TheDeadlineEndsTheWholeGroup) {
  const TemporaryFolder folder;
  const auto pids = folder.path() / "pids";
  const auto begin = Clock::now();
  // The grandchild ignores SIGTERM and has closed the pipes: only a SIGKILL to the group reaches it.
  const auto ended = shell("sh -c 'trap \"\" TERM; echo $$ > " + pids.string() +
                               "; exec >/dev/null 2>&1; while :; do sleep 0.05; done' & echo waiting >&2; wait",
                           {.deadline = 500ms, .grace = 200ms});
  const auto took = Clock::now() - begin;
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::timeout);
  EXPECT_THAT(ended.error().message, HasSubstr("sh had not ended after 0.5 s; its last words: waiting"));
  EXPECT_LT(took, 5s);
  const auto grandchild = static_cast<pid_t>(std::stoi(read_file(pids, 100).value()));
  EXPECT_TRUE(becomes_true([&] { return is_dead(grandchild); }));
}

TEST(Run, ATermIsEnoughForAProgramThatListens) {
  const TemporaryFolder folder;
  const auto mark = folder.path() / "mark";
  const auto begin = Clock::now();
  const auto ended = shell("trap 'echo saved > " + mark.string() + "; exit 0' TERM; while :; do sleep 0.02; done",
                           {.deadline = 300ms, .grace = 30s});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::timeout);
  EXPECT_LT(Clock::now() - begin, 10s);
  EXPECT_EQ(read_file(mark, 100).value(), "saved\n");
}

TEST(Run, WhatAProgramLeavesBehindIsKilledAndNotWaitedFor) {
  const auto begin = Clock::now();
  const auto done = shell("sleep 60 & echo $!");
  ASSERT_TRUE(done);
  EXPECT_LT(Clock::now() - begin, 10s);
  const auto left = static_cast<pid_t>(std::stoi(done->out));
  EXPECT_TRUE(becomes_true([&] { return is_dead(left); }));
}

TEST(Run, OutputOverTheLimitEndsIt) {
  const auto flood = run({"yes"}, {.max_output_bytes = 100'000});
  ASSERT_FALSE(flood);
  EXPECT_EQ(flood.error().code, Code::too_large);
  EXPECT_EQ(shell("printf 12345", {.max_output_bytes = 5}).value().out, "12345");
  EXPECT_EQ(shell("printf 123456", {.max_output_bytes = 5}).error().code, Code::too_large);
  EXPECT_EQ(shell("printf 123456 >&2", {.max_output_bytes = 5}).error().code, Code::too_large);
}

TEST(Run, AStopRequestEndsIt) {
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    source.request_stop();
  });
  const auto begin = Clock::now();
  const auto ended = run({"sleep", "60"}, {.stop = source.get_token()});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::interrupted);
  EXPECT_LT(Clock::now() - begin, 10s);
}

TEST(Run, TheChildInheritsNoDescriptors) {
  const int leaky = ::fcntl(0, F_DUPFD, 50);  // without CLOEXEC, as some libraries do
  ASSERT_GE(leaky, 50);
  const auto done = shell("for f in /proc/$$/fd/*; do echo ${f##*/}; done");
  ::close(leaky);
  ASSERT_TRUE(done);
  // The shell itself has descriptors below 20 open while it runs this.
  EXPECT_THAT(done->out, ::testing::MatchesRegex("0\n(1[0-9]\n)*1\n(1[0-9]\n)*2\n([3-9]\n)*"));
}

TEST(Run, NoDescriptorsAreLeftOpenHere) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  (void)run({"true"});
  const auto before = count();
  for (int i = 0; i < 5; ++i) {
    (void)run({"true"});
    (void)run({"no-such-program-here"});
    (void)run({"sleep", "9"}, {.deadline = 10ms});
  }
  EXPECT_EQ(count(), before);
}

TEST(Run, IgnoredAndBlockedSignalsAreNotInherited) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const auto done = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status");
  std::signal(SIGPIPE, before);
  const auto& text = done.value().out;  // "SigBlk:\t<16 hexadecimal digits>\nSigIgn:\t..."
  const auto mask = [&](const char* name) { return std::stoull(text.substr(text.find(name) + 8, 16), nullptr, 16); };
  EXPECT_EQ(mask("SigBlk:"), 0U) << text;
  EXPECT_EQ(mask("SigIgn:") & 0x7fffffffU, 0U) << text;  // glibc reserves signals above bit 31
}

TEST(Run, ManyAtOnce) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const auto text = std::to_string(t * 100 + i);
        const auto done = run({"cat"}, {.input = text});
        if (done && done->out == text && done->status == 0) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 20);
}

TEST(Run, AQuickProgramIsNotWaitedForLonger) {
  const auto begin = Clock::now();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(run({"true"}));
  EXPECT_LT(Clock::now() - begin, 4s);
}

TEST(Process, GetsTheDescriptorAsItsThirdAndNoOther) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Descriptor reader(ends[0]), writer(ends[1]);
  const int inherited = ::open("/dev/null", O_RDONLY);  // without CLOEXEC
  auto process = Process::start({"/bin/sh", "-c", "echo \"$A|$HOME\" >&3; exec ls /proc/self/fd >&3"},
                                {.descriptor = writer.get(), .environment = {"A=b", "PATH=/usr/bin:/bin"}});
  ::close(inherited);
  ASSERT_TRUE(process) << process.error().message;
  writer.close();
  EXPECT_TRUE(process->wait(10s));
  EXPECT_EQ(process->end(), 0);
  std::string said;
  char part[200];
  for (ssize_t got = 0; (got = ::read(reader.get(), part, sizeof part)) > 0;)
    said.append(part, static_cast<std::size_t>(got));
  EXPECT_EQ(said, "b|\n0\n1\n2\n3\n4\n");  // 4: the folder that ls reads
}

TEST(Process, TalksOverTheStandardDescriptorsItIsGiven) {
  int to[2], from[2];
  ASSERT_EQ(::pipe2(to, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(from, O_CLOEXEC), 0);
  Descriptor in(to[0]), feed(to[1]), said(from[0]), out(from[1]);
  auto process = Process::start({"/bin/sh", "-c", "read line; echo \"got $line\"; ls /proc/self/fd >&2"},
                                {.in = in.get(), .out = out.get(), .environment = {"PATH=/usr/bin:/bin"}});
  ASSERT_TRUE(process) << process.error().message;
  out.close();
  ASSERT_EQ(::write(feed.get(), "this\n", 5), 5);
  char part[100];
  const auto got = ::read(said.get(), part, sizeof part);
  EXPECT_EQ(std::string(part, static_cast<std::size_t>(std::max<ssize_t>(got, 0))), "got this\n");
  EXPECT_TRUE(process->wait(10s));
  EXPECT_EQ(process->end(), 0);
}

TEST(Process, IsKilledWithItsGroupWhenItGoes) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "pid";
  pid_t leader = 0, child = 0;
  {
    auto process = Process::start(
        {"/bin/sh", "-c",
         "sleep 100 & echo $! > " + file.string() + ".new; mv " + file.string() + ".new " + file.string() + "; wait"},
        {.environment = {"PATH=/usr/bin:/bin"}});
    ASSERT_TRUE(process);
    leader = process->id();
    ASSERT_TRUE(becomes_true([&] { return std::filesystem::exists(file); }));
    std::ifstream(file) >> child;
    EXPECT_FALSE(process->wait(10ms));
    EXPECT_FALSE(is_dead(child));
  }
  EXPECT_TRUE(is_dead(leader));
  EXPECT_TRUE(becomes_true([&] { return is_dead(child); }));
}

TEST(Process, TellsHowItEnded) {
  auto crashed = Process::start({"/bin/sh", "-c", "kill -SEGV $$"});
  ASSERT_TRUE(crashed);
  EXPECT_TRUE(crashed->wait(10s));
  EXPECT_EQ(crashed->end(), 128 + SIGSEGV);
  auto hanging = Process::start({"/bin/sh", "-c", "while :; do :; done"});
  ASSERT_TRUE(hanging);
  EXPECT_EQ(hanging->end(), 128 + SIGKILL);
  const auto missing = Process::start({"/no/such/program"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
}

}  // namespace
}  // namespace reeltag

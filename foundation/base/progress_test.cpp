#include "reeltag/base/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "stderr_capture.hpp"

namespace reeltag {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(Progress, WritesJsonWhereThereIsNoTerminal) {
  const auto lines = json_lines(stderr_of([] {
    Progress progress("train", 100, {.interval = 10ms});
    progress.update(1);
    std::this_thread::sleep_for(20ms);
    progress.update(40, {{"loss", 1.25}, {"split", "train"}});
    progress.update(50, {{"loss", 1.0}});
  }));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["event"], "progress");
  EXPECT_EQ(lines[0]["name"], "train");
  EXPECT_EQ(lines[0]["done"], 40);
  EXPECT_EQ(lines[0]["total"], 100);
  EXPECT_EQ(lines[0]["loss"], 1.25);
  EXPECT_EQ(lines[0]["split"], "train");
  const auto seconds = lines[0]["seconds"].get<double>();
  EXPECT_GE(seconds, 0.02);
  EXPECT_NEAR(lines[0]["rate"].get<double>(), 40 / seconds, 0.05 * 40 / seconds);
  EXPECT_NEAR(lines[0]["remaining_seconds"].get<double>(), 60 / lines[0]["rate"].get<double>(), 1e-6);
  EXPECT_EQ(lines[1]["done"], 50);  // the destructor prints the last state
}

TEST(Progress, IsSilentBetweenTwoLines) {
  const auto lines = json_lines(stderr_of([] {
    Progress progress("scan", 0, {.interval = 1h});
    for (int i = 0; i < 10'000; ++i) progress.advance();
  }));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["done"], 10'000);
  EXPECT_FALSE(lines[0].contains("total"));
  EXPECT_FALSE(lines[0].contains("remaining_seconds"));
}

TEST(Progress, WhatWasDoneBeforeIsNotPartOfTheRate) {
  const auto lines = json_lines(stderr_of([] {
    Progress progress("train", 1000, {.start = 900});
    std::this_thread::sleep_for(50ms);
    progress.update(901);
  }));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LE(lines[0]["rate"].get<double>(), 20.0);
}

TEST(Progress, DrawsOneLiveLineOnATerminal) {
  const auto text = terminal_of(80, [] {
    Progress progress("train", 10, {});
    for (int i = 1; i <= 10; ++i) {
      std::this_thread::sleep_for(30ms);
      progress.update(i, {{"loss", 0.5}});
    }
  });
  EXPECT_THAT(text, HasSubstr("\r\033[Ktrain  "));
  EXPECT_THAT(text, HasSubstr(" left  loss 0.5"));
  EXPECT_THAT(text, HasSubstr("train  10/10  100 %"));
  EXPECT_THAT(text, EndsWith("\r\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Progress, ALiveLineFitsTheTerminalAndHoldsNoControls) {
  const auto text = terminal_of(30, [] {
    Progress progress("train", 10, {});
    progress.update(5, {{"file", "evil\033[2J\n" + std::string(100, 'x')}});
  });
  const auto end = text.rfind("\r\n");
  const auto begin = text.rfind("\033[K", end);
  const auto line =
      text.substr(begin == std::string::npos ? 0 : begin + 3, end - (begin == std::string::npos ? 0 : begin + 3));
  EXPECT_LE(line.size(), 29U) << line;
  EXPECT_THAT(text, Not(HasSubstr("\033[2J")));
}

TEST(Progress, ALogLineGoesAboveTheLiveLine) {
  const auto text = terminal_of(80, [] {
    Progress progress("train", 10, {});
    std::this_thread::sleep_for(120ms);
    progress.update(1);
    log::info("saved");
  });
  const auto first = text.find("train  1/10");
  const auto erased = text.find("\r\033[K", first);
  const auto logged = text.find("saved\r\n");
  ASSERT_NE(logged, std::string::npos) << text;
  EXPECT_LT(first, erased);
  EXPECT_LT(erased, logged);
  EXPECT_EQ(text.find("train  1/10", logged), logged + 7) << "the live line must stand again below the log line";
}

TEST(Progress, QuietIsQuiet) {
  const auto work = [](Progress::Mode mode) {
    Progress progress("train", 10, {.mode = mode, .interval = 0ms});
    progress.update(5);
  };
  EXPECT_EQ(stderr_of([&] { work(Progress::Mode::quiet); }), "");
  Progress::set_mode(Progress::Mode::quiet);
  EXPECT_EQ(stderr_of([&] { work(Progress::Mode::automatic); }), "");
  Progress::set_mode(Progress::Mode::lines);
  EXPECT_THAT(terminal_of(80, [&] { work(Progress::Mode::automatic); }), HasSubstr("{\"event\":\"progress\""));
  Progress::set_mode(Progress::Mode::automatic);
}

TEST(Progress, CountsFromManyThreads) {
  const auto lines = json_lines(stderr_of([] {
    Progress progress("scan", 4000, {.interval = 1ms});
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) progress.advance();
      });
    }
  }));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back()["done"], 4000);
}

}  // namespace
}  // namespace reeltag

#include "reeltag/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "console.hpp"
#include "stderr_capture.hpp"

namespace reeltag {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Log : public ::testing::Test {
 protected:
  void TearDown() override { log::configure({}); }
};

TEST_F(Log, JsonLinesHoldTypedValues) {
  log::configure({.json = true});
  const auto text = stderr_of([] {
    log::warning("decode_failed", {{"file", std::filesystem::path("a b.mp4")},
                                   {"seconds", 1.25},
                                   {"count", 3},
                                   {"big", std::numeric_limits<std::uint64_t>::max()},
                                   {"fatal", false},
                                   {"took", std::chrono::milliseconds(1500)},
                                   {"text", "line\nbreak \"quoted\" \xff"}});
  });
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 1U);
  const auto line = json::parse(lines[0]);
  EXPECT_THAT(line["time"].get<std::string>(), MatchesRegex("....-..-..T..:..:......Z"));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["event"], "decode_failed");
  EXPECT_EQ(line["file"], "a b.mp4");
  EXPECT_EQ(line["seconds"], 1.25);
  EXPECT_EQ(line["count"], 3);
  EXPECT_EQ(line["big"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(line["fatal"], false);
  EXPECT_EQ(line["took"], 1.5);
  EXPECT_EQ(line["text"], "line\nbreak \"quoted\" \xEF\xBF\xBD");
}

TEST_F(Log, AFieldCannotTakeTheEventsPlace) {
  log::configure({.json = true});
  const auto line = json::parse(stderr_of([] { log::info("real", {{"event", "false"}, {"level", 9}}); }));
  EXPECT_EQ(line["event"], "real");
  EXPECT_EQ(line["event_"], "false");
  EXPECT_EQ(line["level"], "info");
}

TEST_F(Log, TextIsOneLineWhateverTheValues) {
  const auto text = stderr_of([] {
    log::info("added", {{"file", "a.mp4"}, {"caption", "two words\n\033[2Jgone \xC2\x9B"}, {"n", 2}, {"tag", "猫"}});
  });
  EXPECT_THAT(text, HasSubstr("info added file=a.mp4 caption=\"two words\\n\\u001b[2Jgone \\u009b\" n=2 tag=猫\n"));
  EXPECT_EQ(lines_of(text).size(), 1U);
}

TEST_F(Log, PercentAndBracesAreOnlyText) {
  EXPECT_THAT(stderr_of([] { log::info("x", {{"a", "{}%s%v{0}"}}); }), HasSubstr("a={}%s%v{0}\n"));
}

TEST_F(Log, LevelsBelowTheChosenOneAreSilent) {
  const auto all = [] {
    log::debug("d");
    log::info("i");
    log::warning("w");
    log::error("e");
  };
  EXPECT_EQ(lines_of(stderr_of(all)).size(), 3U);
  log::configure({.level = log::Level::debug});
  EXPECT_EQ(lines_of(stderr_of(all)).size(), 4U);
  log::configure({.level = log::Level::error});
  EXPECT_EQ(lines_of(stderr_of(all)).size(), 1U);
  EXPECT_FALSE(log::enabled(log::Level::warning));
  EXPECT_TRUE(log::enabled(log::Level::error));
  log::configure({.level = log::Level::off});
  EXPECT_EQ(stderr_of(all), "");
}

TEST_F(Log, ASecretIsNeverShown) {
  const Secret key("hunter2");
  std::ostringstream stream;
  stream << key;
  EXPECT_EQ(stream.str(), "***");
  EXPECT_EQ(key.reveal(), "hunter2");
  for (const bool as_json : {false, true}) {
    log::configure({.json = as_json});
    const auto text = stderr_of([&] { log::info("login", {{"key", key}}); });
    EXPECT_THAT(text, HasSubstr("***"));
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  }
}

TEST_F(Log, ScopesAddFieldsToTheirThreadOnly) {
  log::configure({.json = true});
  const auto text = stderr_of([] {
    const log::Scope run{{"run", "r1"}};
    {
      const log::Scope inner{{"epoch", 3}, {"part", "val"}};
      log::info("a");
      std::thread([] { log::info("other"); }).join();
    }
    log::info("b");
  });
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[0])["run"], "r1");
  EXPECT_EQ(json::parse(lines[0])["epoch"], 3);
  EXPECT_EQ(json::parse(lines[0])["part"], "val");
  EXPECT_FALSE(json::parse(lines[1]).contains("run"));
  EXPECT_EQ(json::parse(lines[2])["run"], "r1");
  EXPECT_FALSE(json::parse(lines[2]).contains("epoch"));
}

TEST_F(Log, ThreadsDoNotMixTheirLines) {
  log::configure({.json = true});
  const auto text = stderr_of([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 200; ++i) log::info("tick", {{"t", t}, {"i", i}, {"pad", std::string(200, 'x')}});
      });
    }
  });
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 800U);
  for (const auto& line : lines) ASSERT_TRUE(json::accept(line)) << line;
}

TEST_F(Log, ColorsOnATerminalOnly) {
  ::unsetenv("NO_COLOR");
  const auto hello = [] { log::error("hello"); };
  EXPECT_THAT(terminal_of(80, hello), HasSubstr("\033[31;1merror\033[0m hello\r\n"));
  EXPECT_THAT(stderr_of(hello), Not(HasSubstr("\033")));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_THAT(terminal_of(80, hello), Not(HasSubstr("\033")));
  ::unsetenv("NO_COLOR");
  log::configure({.json = true});
  EXPECT_THAT(terminal_of(80, hello), Not(HasSubstr("\033")));
}

TEST(Console, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to_width("abc", 2), "ab");
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("aé猫b", 3), "aé猫");
  EXPECT_EQ(cut_to_width("猫", 0), "");
}

}  // namespace
}  // namespace reeltag

#include "reeltag/base/stop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "reeltag/base/error.hpp"

namespace reeltag::stop {
namespace {

// The state is process-wide: each case runs in a separate process.

[[noreturn]] void end_after(int first, int second) {
  install();
  install();
  if (token().stop_requested() || signal_number() != 0 || exit_status() != 0) std::_Exit(1);
  std::raise(first);
  for (int i = 0; i < 500 && !token().stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (!token().stop_requested() || signal_number() != first) std::_Exit(2);
  if (second != 0) std::raise(second);
  try {
    throw_if_requested();
  } catch (const Exception& error) {
    if (error.code() == Code::interrupted) std::_Exit(exit_status());
  }
  std::_Exit(3);
}

TEST(StopDeathTest, SignalsBecomeAStopAndAStatus) {
  EXPECT_EXIT(end_after(SIGINT, 0), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(end_after(SIGTERM, 0), ::testing::ExitedWithCode(143), "");
}

TEST(StopDeathTest, TheFirstSignalCounts) {
  EXPECT_EXIT(end_after(SIGTERM, SIGINT), ::testing::ExitedWithCode(143), "");
}

TEST(StopDeathTest, ASecondSignalOfTheSameKindEndsAtOnce) {
  EXPECT_EXIT(end_after(SIGINT, SIGINT), ::testing::KilledBySignal(SIGINT), "");
}

TEST(StopDeathTest, RequestWorksWithoutHandlers) {
  EXPECT_EXIT(
      {
        bool called = false;
        const std::stop_callback callback(token(), [&] { called = true; });
        request(SIGTERM);
        std::_Exit(called && token().stop_requested() ? exit_status() : 1);
      },
      ::testing::ExitedWithCode(143), "");
}

TEST(Stop, NothingIsStoppedFromTheStart) {
  EXPECT_FALSE(token().stop_requested());
  EXPECT_NO_THROW(throw_if_requested());
}

}  // namespace
}  // namespace reeltag::stop

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/registry.hpp"
#include "test_bundle.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;

const Validator kWorks = [](const fs::path&) {};

class Watching : public ::testing::Test {
 protected:
  void publish(const std::string& weights) { models.publish(make_bundle(home / "work", weights), "hashtags", {}); }
  void promote(std::int64_t number, const std::string& alias = "champion") {
    models.promote({"hashtags", number}, alias, kWorks, {});
  }
  // 0 where nothing changed.
  std::int64_t polled() {
    const auto now = watch.poll();
    EXPECT_TRUE(now.has_value());
    return now && *now ? **now : 0;
  }

  TemporaryFolder folder;
  fs::path home = folder.path() / "home";
  Registry models{home / "models"};
  Watch watch{home / "models", "hashtags", "champion"};
};

TEST_F(Watching, SaysOnceThatTheAliasNamesAnotherVersion) {
  EXPECT_EQ(polled(), 0);
  publish("a");
  publish("b");
  EXPECT_EQ(polled(), 0);
  promote(1);
  EXPECT_EQ(polled(), 1);
  EXPECT_EQ(polled(), 0);
  promote(2, "challenger");
  EXPECT_EQ(polled(), 0);
  promote(2);
  EXPECT_EQ(polled(), 2);
  models.rollback("hashtags", "champion", {});
  EXPECT_EQ(polled(), 1);
  EXPECT_EQ(polled(), 0);
}

TEST_F(Watching, ThereAndBackBetweenTwoCallsIsNoChange) {
  publish("a");
  publish("b");
  promote(1);
  EXPECT_EQ(polled(), 1);
  promote(2);
  models.rollback("hashtags", "champion", {});
  EXPECT_EQ(polled(), 0);
}

TEST_F(Watching, ABrokenHistoryIsAnErrorUntilItIsMended) {
  publish("a");
  promote(1);
  const auto file = home / "models" / "hashtags" / "history.jsonl";
  const std::string good = *read_file(file, 1 << 20);
  write_file(file, good + "{");
  for (int i = 0; i < 2; ++i) {
    const auto now = watch.poll();
    ASSERT_FALSE(now.has_value());
    EXPECT_EQ(now.error().code, Code::corrupt);
  }
  write_file(file, good);
  EXPECT_EQ(polled(), 1);
}

TEST_F(Watching, OnlyWhatCanBeAName) {
  EXPECT_THROW(Watch(home / "models", "../x", "champion"), Exception);
  EXPECT_THROW(Watch(home / "models", "hashtags", "latest"), Exception);
}

}  // namespace
}  // namespace reeltag::registry

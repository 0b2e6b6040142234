#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "reeltag/registry.hpp"
#include "test_bundle.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Validator kWorks = [](const fs::path&) {};

class Aliases : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* weights : {"a", "b", "c"}) models.publish(make_bundle(home / "work", weights), "hashtags", {});
  }
  void promote(std::int64_t number, const std::string& alias = "champion") {
    models.promote({"hashtags", number}, alias, kWorks, {.by = "me"});
  }
  std::int64_t rollback() { return models.rollback("hashtags", "champion", {.by = "me"}).version; }
  std::int64_t named(const std::string& alias = "champion") { return models.aliases("hashtags")[alias]; }
  template <class Run>
  Error error_of(const Run& run) {
    try {
      run();
    } catch (const Exception& e) {
      return e.error();
    }
    return {Code::internal, "nothing was thrown"};
  }

  TemporaryFolder folder;
  fs::path home = folder.path() / "home";
  Registry models{home / "models"};
};

TEST_F(Aliases, AnAliasNamesOneVersionAndAVersionHasMany) {
  promote(1);
  promote(2, "challenger");
  promote(2, "my-own-1");
  EXPECT_EQ(named(), 1);
  EXPECT_THAT(models.get({"hashtags", 2}).aliases, ElementsAre("challenger", "my-own-1"));
  promote(2);
  EXPECT_EQ(named(), 2);
  EXPECT_THAT(models.get({"hashtags", 1}).aliases, IsEmpty());
}

TEST_F(Aliases, TheHistorySaysWhoWhenFromToAndWhy) {
  models.promote({"hashtags", 1}, "champion", kWorks, {.by = "ann", .why = "first"});
  const auto change = models.promote({"hashtags", 3}, "champion", kWorks, {.by = "bob", .why = "better \"mAP\"\n"});
  ASSERT_TRUE(change);
  const Change last = models.history("hashtags").back();
  EXPECT_EQ(last.number, 5);
  EXPECT_EQ(last.act, Act::promote);
  EXPECT_EQ(last.alias, "champion");
  EXPECT_EQ(last.from, 1);
  EXPECT_EQ(last.version, 3);
  EXPECT_EQ(last.by, "bob");
  EXPECT_EQ(last.why, "better \"mAP\"\n");
  EXPECT_EQ(last.at, change->at);
}

TEST_F(Aliases, NothingIsDoneWhereTheAliasNamesItAlready) {
  promote(1);
  EXPECT_FALSE(models.promote({"hashtags", 1}, "champion", kWorks, {}));
  EXPECT_THAT(models.history("hashtags"), SizeIs(4));
}

TEST_F(Aliases, RollbackGoesBackStepByStep) {
  promote(1);
  promote(2);
  promote(3);
  EXPECT_EQ(rollback(), 2);
  EXPECT_EQ(named(), 2);
  EXPECT_EQ(rollback(), 1);
  EXPECT_EQ(error_of([&] { rollback(); }).code, Code::not_found);
  EXPECT_EQ(named(), 1);
  promote(3);
  EXPECT_EQ(rollback(), 1);
}

TEST_F(Aliases, RollbackPassesOverRemovedVersionsAndItself) {
  promote(3);
  promote(2);
  promote(1);
  promote(2);
  models.remove({"hashtags", 1}, {});
  EXPECT_EQ(rollback(), 3);
  EXPECT_EQ(named(), 3);
  EXPECT_EQ(error_of([&] { rollback(); }).code, Code::not_found);
}

TEST_F(Aliases, RollbackOfWhatIsNotThere) {
  EXPECT_EQ(error_of([&] { rollback(); }).code, Code::not_found);
  EXPECT_EQ(error_of([&] { models.rollback("none", "champion", {}); }).code, Code::not_found);
  EXPECT_EQ(error_of([&] { models.rollback("hashtags", "latest", {}); }).code, Code::invalid_argument);
}

TEST_F(Aliases, RollbackToABrokenVersionIsRefused) {
  promote(1);
  promote(2);
  fs::remove(home / "models" / "hashtags" / "1" / "card.md");
  EXPECT_EQ(error_of([&] { rollback(); }).code, Code::corrupt);
  EXPECT_EQ(named(), 2);
}

TEST_F(Aliases, AVersionThatDoesNotLoadIsRefused) {
  promote(1);
  fs::path seen;
  const Error error = error_of([&] {
    models.promote({"hashtags", 2}, "champion",
                   [&](const fs::path& bundle) {
                     seen = bundle;
                     throw Exception(Code::corrupt, "the weights lack head.bias");
                   },
                   {});
  });
  EXPECT_EQ(seen, home / "models" / "hashtags" / "2");
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr("hashtags/2 is not promoted"));
  EXPECT_THAT(error.message, HasSubstr("head.bias"));
  EXPECT_EQ(named(), 1);
  EXPECT_THAT(models.history("hashtags"), SizeIs(4));
}

TEST_F(Aliases, FromRefusesWhenAnotherOneWasPromotedMeanwhile) {
  const auto from = [&](std::int64_t number, std::int64_t expected) {
    return models.promote({"hashtags", number}, "champion", kWorks, {}, expected);
  };
  EXPECT_TRUE(from(1, 0));
  const Error error = error_of([&] { from(2, 0); });
  EXPECT_EQ(error.code, Code::already_exists);
  EXPECT_THAT(error.message, HasSubstr("names 1, not no version"));
  // A change during validation counts too.
  const Validator slow = [&](const fs::path&) { promote(3); };
  EXPECT_EQ(error_of([&] { models.promote({"hashtags", 2}, "champion", slow, {}, 1); }).code, Code::already_exists);
  EXPECT_EQ(named(), 3);
  EXPECT_TRUE(from(2, 3));
}

TEST_F(Aliases, AVersionRemovedWhileItIsTestedIsNotPromoted) {
  const Validator slow = [&](const fs::path&) { models.remove({"hashtags", 2}, {}); };
  EXPECT_EQ(error_of([&] { models.promote({"hashtags", 2}, "champion", slow, {}); }).code, Code::not_found);
  EXPECT_THAT(models.aliases("hashtags"), IsEmpty());
}

TEST_F(Aliases, AVersionWithAnAliasStays) {
  promote(1);
  promote(2, "shadow");
  for (const auto& [number, alias] : {std::pair{1, "champion"}, {2, "shadow"}}) {
    const Error error = error_of([&, n = number] { models.remove({"hashtags", n}, {}); });
    EXPECT_EQ(error.code, Code::already_exists);
    EXPECT_THAT(error.message, HasSubstr(alias));
  }
  promote(3);
  models.remove({"hashtags", 1}, {});
  EXPECT_THAT(models.versions("hashtags"), SizeIs(2));
}

TEST_F(Aliases, NamesThatCannotBeOne) {
  for (const std::string alias : {"", "latest", "v1", "v123", "Champion", "3", "-a", "a_b", "a b", "a/b", "..", "a@b",
                                  "\xC3\xA9", "a\n", "models:/x"}) {
    EXPECT_EQ(error_of([&] { promote(1, alias); }).code, Code::invalid_argument) << alias;
  }
  EXPECT_EQ(error_of([&] { promote(1, std::string(65, 'a')); }).code, Code::invalid_argument);
  for (const std::string alias : {"v", "v1a", "vv1", "latest-1", "a", "a-", "b2"}) promote(1, alias);
  EXPECT_THAT(models.aliases("hashtags"), SizeIs(7));
}

TEST_F(Aliases, ThreadsThatPromoteAtOnceLeaveAWholeHistory) {
  constexpr int kThreads = 8, kTimes = 5;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kTimes; ++i) promote(1 + (t + i) % 3);
      });
    }
  }
  std::int64_t last = 0;
  for (const auto& change : models.history("hashtags")) {  // reading checks that no line is missing
    if (change.act != Act::promote) continue;
    EXPECT_EQ(change.from, last);
    EXPECT_NE(change.version, last);
    last = change.version;
  }
  EXPECT_EQ(named(), last);
}

}  // namespace
}  // namespace reeltag::registry

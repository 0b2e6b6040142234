#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/registry.hpp"
#include "test_bundle.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const Validator kWorks = [](const fs::path&) {};

class FindModel : public ::testing::Test {
 protected:
  fs::path find(const std::string& text) { return find_model({.home = home, .shipped = shipped}, text); }
  Error error_of(const std::string& text) {
    try {
      find(text);
    } catch (const Exception& e) {
      return e.error();
    }
    return {Code::internal, "was found"};
  }
  fs::path publish(const std::string& weights, const std::string& name = "hashtags") {
    return models.publish(make_bundle(folder.path() / "work", weights), name, {}).version.folder;
  }

  TemporaryFolder folder;
  fs::path home = folder.path() / "home", shipped = folder.path() / "shipped";
  fs::path starter = make_bundle(shipped / "starter");
  Registry models{home / "models"};
};

TEST_F(FindModel, APathIsNoNameOfAModelInTheHome) {
  publish("one");
  publish("two");
  make_bundle(home / "runs" / "r1" / "bundle");
  for (const auto* text : {"hashtags/1/../2", "hashtags/../hashtags/2", "../runs/r1/bundle", "r1/", "./r1"})
    EXPECT_EQ(error_of(text).code, Code::not_found) << text;
}

TEST_F(FindModel, WithoutARegistryEverythingIsWhereItWas) {
  const auto run = make_bundle(home / "runs" / "r1" / "bundle");
  const auto imported = make_bundle(home / "models" / "s16x4");
  EXPECT_EQ(find(""), starter);
  EXPECT_EQ(find("starter"), starter);
  EXPECT_EQ(find("r1"), run);
  EXPECT_EQ(find("s16x4"), imported);
  EXPECT_EQ(find(run.string()), run);
  EXPECT_EQ(find(run.parent_path().string()), run);
  EXPECT_THAT(error_of("none").message, HasSubstr("there are: r1, s16x4, starter"));
  EXPECT_EQ(error_of("champion").code, Code::not_found);
}

TEST_F(FindModel, EveryWayToNameAVersion) {
  const auto one = publish("a"), two = publish("b");
  models.promote({"hashtags", 2}, "champion", kWorks, {});
  models.promote({"hashtags", 1}, "challenger", kWorks, {});
  for (const char* text : {"champion", "hashtags", "hashtags@champion", "models:/hashtags@champion", "hashtags/2",
                           "models:/hashtags/2", "models:/hashtags", "2", ""}) {
    EXPECT_EQ(find(text), two) << text;
  }
  for (const char* text : {"challenger", "hashtags@challenger", "hashtags/1"}) EXPECT_EQ(find(text), one) << text;
  EXPECT_EQ(find("starter"), starter);
}

TEST_F(FindModel, OtherNamesHaveAliasesOfTheirOwn) {
  const auto street = publish("a", "street");
  EXPECT_EQ(find(""), starter);
  models.promote({"street", 1}, "champion", kWorks, {});
  EXPECT_EQ(find("street"), street);
  EXPECT_EQ(find("street@champion"), street);
  EXPECT_EQ(find(""), starter);
  EXPECT_EQ(error_of("champion").code, Code::not_found);
  EXPECT_EQ(error_of("models:/champion").code, Code::not_found);
}

TEST_F(FindModel, WhatIsMissingIsSaid) {
  publish("a");
  EXPECT_EQ(find(""), starter);
  EXPECT_THAT(error_of("hashtags").message, HasSubstr("hashtags has no champion"));
  EXPECT_THAT(error_of("hashtags@shadow").message, HasSubstr("hashtags has no shadow"));
  EXPECT_THAT(error_of("hashtags/2").message, HasSubstr("no version hashtags/2"));
  EXPECT_THAT(error_of("models:/none/1").message, HasSubstr("no model 'none'"));
  EXPECT_EQ(error_of("models:/../x").code, Code::invalid_argument);
  EXPECT_EQ(error_of("none@champion").code, Code::not_found);
  EXPECT_EQ(error_of(std::string(100'000, 'a')).code, Code::not_found);
  EXPECT_EQ(error_of(std::string(100'000, '/')).code, Code::not_found);
  EXPECT_EQ(error_of("../shipped").code, Code::not_found);
}

TEST_F(FindModel, RunsKeepTheirNames) {
  const auto run = make_bundle(home / "runs" / "hashtags" / "bundle"),
             seven = make_bundle(home / "runs" / "7" / "bundle");
  publish("a");
  EXPECT_EQ(find("hashtags"), run);
  EXPECT_EQ(find("7"), seven);
  models.promote({"hashtags", 1}, "champion", kWorks, {});
  EXPECT_EQ(find("hashtags"), home / "models" / "hashtags" / "1");
  EXPECT_EQ(find((home / "runs" / "hashtags").string()), run);
}

TEST_F(FindModel, ABrokenChampionIsNotReplacedByTheStarter) {
  const auto version = publish("a");
  models.promote({"hashtags", 1}, "champion", kWorks, {});
  fs::remove(version / "weights.safetensors");
  for (const char* text : {"", "champion", "hashtags/1"}) {
    EXPECT_EQ(error_of(text).code, Code::corrupt);
    EXPECT_THAT(error_of(text).message, HasSubstr("weights.safetensors is missing"));
  }
}

}  // namespace
}  // namespace reeltag::registry

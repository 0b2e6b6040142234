#include "reeltag/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/hash.hpp"
#include "test_bundle.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Validator kWorks = [](const fs::path&) {};

class Versions : public ::testing::Test {
 protected:
  VersionId publish(const std::string& weights, const std::string& name = "hashtags") {
    fs::remove_all(home / "work");
    return models.publish(make_bundle(home / "work", weights), name, {.by = "me"}).version.id;
  }
  template <class Run>
  Error error_of(const Run& run) {
    try {
      run();
    } catch (const Exception& e) {
      return e.error();
    }
    return {Code::internal, "nothing was thrown"};
  }
  void overwrite(const fs::path& file, const std::string& text) {
    fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
    write_file(file, text);
  }

  TemporaryFolder folder;
  fs::path home = folder.path() / "home";
  Registry models{home / "models"};
};

TEST_F(Versions, APublishedBundleIsAWholeCopyWithItsOrigin) {
  const auto bundle = make_bundle(home / "runs" / "r1" / "bundle", "w", "r1");
  const auto made = models.publish(bundle, "hashtags", {.by = "me", .why = "first"});
  EXPECT_FALSE(made.already);
  fs::remove_all(home / "runs");
  const Version v = models.get({"hashtags", 1});
  EXPECT_EQ(v.id, made.version.id);
  EXPECT_EQ(v.folder, home / "models" / "hashtags" / "1");
  EXPECT_EQ(v.by, "me");
  EXPECT_THAT(v.at, ::testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"));
  EXPECT_EQ(v.run, "r1");
  EXPECT_EQ(v.dataset, "d1");
  EXPECT_EQ(v.source, bundle.string());
  EXPECT_THAT(v.hashtags, ElementsAre("cat", "dog"));
  EXPECT_EQ(v.figures, "{}");
  EXPECT_THAT(v.files, SizeIs(4));
  EXPECT_EQ(card_of(v), "# Card of r1\n");
  EXPECT_THAT(recipe_of(v), HasSubstr("EMBED_DIM"));
  const auto history = models.history("hashtags");
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].act, Act::publish);
  EXPECT_EQ(history[0].why, "first");
}

TEST_F(Versions, TheDigestIsThatOfTheFilesListing) {
  const Version v = models.get(publish("w"));
  std::string listing;
  for (const char* name : {"bundle.json", "card.md", "recipe.yaml", "weights.safetensors"})
    listing += hex(sha256(*read_file(v.folder / name, 1 << 20))) + "  " + name + "\n";
  EXPECT_EQ(v.digest, hex(sha256(listing)));
}

TEST_F(Versions, TheSameFilesAreTheSameVersion) {
  EXPECT_EQ(publish("a").number, 1);
  EXPECT_EQ(publish("b").number, 2);
  const auto again = models.publish(make_bundle(home / "other", "a"), "hashtags", {});
  EXPECT_TRUE(again.already);
  EXPECT_EQ(again.version.id.number, 1);
  EXPECT_THAT(models.versions("hashtags"), SizeIs(2));
  EXPECT_THAT(models.history("hashtags"), SizeIs(2));
  EXPECT_EQ(publish("a", "other").number, 1);
  EXPECT_THAT(models.names(), ElementsAre("hashtags", "other"));
}

TEST_F(Versions, AVersionPublishedUnderAnotherNameKeepsItsDigest) {
  const Version v = models.get(publish("a"));
  const auto other = models.publish(v.folder, "other", {});
  EXPECT_EQ(other.version.digest, v.digest);
  EXPECT_EQ(models.get({"other", 1}).files.size(), v.files.size());
}

TEST_F(Versions, FiguresAreThoseOfTheRunsEvaluation) {
  const auto bundle = make_bundle(home / "runs" / "mine" / "bundle");
  const auto metrics = home / "runs" / "mine" / "metrics.json";
  write_file(metrics, R"({"model":"mine","dataset":"d1","split":"test","top1":0.5,"classes":[1,2,3]})");
  const auto version = models.publish(bundle, "hashtags", {}).version;
  EXPECT_EQ(version.figures, R"({"dataset":"d1","split":"test","top1":0.5})");
  EXPECT_EQ(models.get(version.id).figures, version.figures);

  write_file(metrics, R"({"model":"mine","split":"test","top1":0.75})");
  EXPECT_TRUE(models.publish(bundle, "hashtags", {}).already);
  EXPECT_EQ(models.get(version.id).figures, R"({"split":"test","top1":0.75})");
  EXPECT_EQ(models.history("hashtags").back().act, Act::evaluate);
  models.publish(bundle, "hashtags", {});
  EXPECT_THAT(models.history("hashtags"), SizeIs(2));
}

TEST_F(Versions, FiguresOfAnotherModelAreLeftOut) {
  const auto bundle = make_bundle(home / "runs" / "mine" / "bundle");
  write_file(home / "runs" / "mine" / "metrics.json", R"({"model":"starter","top1":0.5})");
  EXPECT_EQ(models.publish(bundle, "hashtags", {}).version.figures, "{}");
}

TEST_F(Versions, FilesAreReadOnly) {
  const Version v = models.get(publish("a"));
  constexpr auto kWrite = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(v.folder)) {
    EXPECT_EQ(entry.status().permissions() & kWrite, fs::perms::none) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 5);
}

TEST_F(Versions, AChangedFileIsNamed) {
  const Version v = models.get(publish("abcd"));
  const auto refused = [&](const std::string& file) {
    const Error error = error_of([&] { models.get(v.id); });
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.message, HasSubstr((v.folder / file).string()));
    EXPECT_EQ(error_of([&] { models.promote(v.id, "champion", kWorks, {}); }).code, Code::corrupt);
  };
  overwrite(v.folder / "weights.safetensors", "abce");
  refused("weights.safetensors");
  overwrite(v.folder / "weights.safetensors", "abcde");
  refused("weights.safetensors");
  fs::remove(v.folder / "weights.safetensors");
  refused("weights.safetensors");
  fs::create_symlink(home / "work" / "weights.safetensors", v.folder / "weights.safetensors");
  refused("weights.safetensors");
  fs::remove(v.folder / "weights.safetensors");
  write_file(v.folder / "weights.safetensors", "abcd");
  EXPECT_NO_THROW(models.get(v.id));
  write_file(v.folder / "extra", "");
  refused("extra");
}

TEST_F(Versions, AChangedRecordIsNamedAndTheOthersAreListed) {
  const Version v = models.get(publish("a"));
  publish("b");
  std::string record = *read_file(v.folder / "version.json", 1 << 20);
  record.replace(record.find("\"me\""), 4, "\"it\"");
  overwrite(v.folder / "version.json", record);
  EXPECT_THAT(error_of([&] { models.get(v.id); }).message, HasSubstr("1/version.json"));
  overwrite(v.folder / "version.json", "{");
  EXPECT_THAT(error_of([&] { models.get(v.id); }).message, HasSubstr("1/version.json"));
  const auto all = models.versions("hashtags");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_THAT(all[0].fault, HasSubstr("version.json"));
  EXPECT_THAT(all[1].fault, IsEmpty());
  EXPECT_EQ(publish("c").number, 3);
  models.remove(v.id, {});
  EXPECT_THAT(models.versions("hashtags"), SizeIs(2));
}

TEST_F(Versions, WhatIsNoBundleIsRefusedAndLeavesNothing) {
  EXPECT_EQ(error_of([&] { models.publish(home / "none", "hashtags", {}); }).code, Code::not_found);
  const auto bundle = make_bundle(home / "work");
  write_file(bundle / "bundle.json", R"({"name":"x","vocabulary":["a"],"thresholds":[0.5]})");
  EXPECT_THAT(error_of([&] { models.publish(bundle, "hashtags", {}); }).message, HasSubstr("do not fit"));
  write_file(bundle / "bundle.json", R"({"name":"x"})");
  EXPECT_EQ(error_of([&] { models.publish(bundle, "hashtags", {}); }).code, Code::corrupt);
  EXPECT_THAT(models.names(), IsEmpty());
  make_bundle(bundle);
  fs::create_directory(bundle / "sub");
  EXPECT_THAT(error_of([&] { models.publish(bundle, "hashtags", {}); }).message, HasSubstr("sub is no file"));
  EXPECT_THAT(models.versions("hashtags"), IsEmpty());
}

TEST_F(Versions, HostileNamesReachNoFile) {
  const auto bundle = make_bundle(home / "work");
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"),
        std::string("/tmp/x"), std::string("-x"), std::string("3"), std::string("a@b"), std::string("a b"),
        std::string("a\nb"), std::string("a\0b", 3), std::string("\xC3\xA9"), std::string("a\xF0\x9F\x98\xBA"),
        std::string(65, 'a'), std::string(100'000, 'a')}) {
    EXPECT_EQ(error_of([&] { models.publish(bundle, name, {}); }).code, Code::invalid_argument) << name.substr(0, 80);
    EXPECT_EQ(error_of([&] { models.get({name, 1}); }).code, Code::invalid_argument);
    EXPECT_EQ(error_of([&] { models.remove({name, 1}, {}); }).code, Code::invalid_argument);
    EXPECT_EQ(error_of([&] { models.rollback(name, "champion", {}); }).code, Code::invalid_argument);
    EXPECT_EQ(error_of([&] { models.history(name); }).code, Code::invalid_argument);
    EXPECT_FALSE(models.has(name));
  }
  EXPECT_FALSE(fs::exists(home / "models"));
  EXPECT_EQ(models.publish(bundle, std::string(64, 'a'), {}).version.id.number, 1);
}

TEST_F(Versions, AnImportedModelIsNotPublishedOver) {
  make_bundle(home / "models" / "s16x4");
  const Error error = error_of([&] { publish("a", "s16x4"); });
  EXPECT_EQ(error.code, Code::already_exists);
  EXPECT_THAT(models.names(), IsEmpty());
}

TEST_F(Versions, ARemovedVersionIsGoneAndItsNumberIsNotUsedAgain) {
  publish("a");
  const auto b = publish("b");
  models.remove(b, {.by = "me", .why = "too slow"});
  EXPECT_FALSE(fs::exists(home / "models" / "hashtags" / "2"));
  const Error error = error_of([&] { models.get(b); });
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_THAT(error.message, HasSubstr("was removed"));
  EXPECT_EQ(error_of([&] { models.remove(b, {}); }).code, Code::not_found);
  EXPECT_EQ(error_of([&] { models.remove({"hashtags", 9}, {}); }).code, Code::not_found);
  EXPECT_EQ(error_of([&] { models.remove({"none", 1}, {}); }).code, Code::not_found);
  EXPECT_FALSE(fs::exists(home / "models" / "none"));
  EXPECT_EQ(models.history("hashtags").back().why, "too slow");
  EXPECT_EQ(publish("b").number, 3);
}

TEST_F(Versions, WhoAndWhyAreLimited) {
  const auto bundle = make_bundle(home / "work");
  EXPECT_EQ(error_of([&] { models.publish(bundle, "hashtags", {.by = std::string(201, 'x')}); }).code,
            Code::invalid_argument);
  const auto made = models.publish(bundle, "hashtags", {});
  EXPECT_THAT(made.version.by, ::testing::MatchesRegex(".+@.+"));
}

}  // namespace
}  // namespace reeltag::registry

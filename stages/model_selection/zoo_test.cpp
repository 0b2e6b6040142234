#include "reeltag/zoo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/base/yaml.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model_selection {
namespace {

using testing::HasSubstr;

TEST(ShippedZoo, EveryEntryHasARecipeThatBuildsAndAnAddress) {
  const auto zoo = read_zoo(shipped_zoo());
  EXPECT_EQ(zoo.size(), 13U);
  for (const auto& entry : zoo) {
    const auto plan = model::make_plan(recipe_of(entry));
    const int classes = plan.recipe.model.num_classes;
    EXPECT_THAT(entry.url, testing::MatchesRegex("https://dl\\.fbaipublicfiles\\.com/[A-Za-z0-9_/]+\\.pyth"));
    EXPECT_EQ(entry.name.ends_with("-k400") ? 400 : entry.name.ends_with("-k600") ? 600 : classes, classes);
    EXPECT_EQ(entry.vocabulary.empty(), classes != 400) << entry.name;
    EXPECT_TRUE(entry.vocabulary.empty() || std::filesystem::exists(entry.vocabulary)) << entry.vocabulary;
  }
}

// What is said in two places has to be the same.
TEST(ShippedZoo, ClaimsAreThoseOfTheRecipes) {
  for (const auto& entry : read_zoo(shipped_zoo())) {
    if (entry.classes > 0) continue;
    const yaml::Node meta = yaml::load(model::recipes_folder() / (entry.recipe + ".meta.yml"));
    const yaml::Node* published = meta.find("published");
    ASSERT_NE(published, nullptr) << entry.recipe;
    EXPECT_EQ(std::stod(published->find("top1")->text), entry.top1) << entry.name;
    const yaml::Node* views = published->find("views");
    EXPECT_EQ(views == nullptr ? "" : views->text, entry.views) << entry.name;
  }
}

class OwnZoo : public testing::Test {
 protected:
  std::vector<ZooEntry> read(const std::string& text) {
    write_file(folder.path() / "zoo.yml", text);
    return read_zoo(folder.path() / "zoo.yml");
  }
  Error error_of(const std::string& text) {
    try {
      read(text);
    } catch (const Exception& e) {
      return e.error();
    }
    return {Code::internal, "was read"};
  }
  TemporaryFolder folder;
};

TEST_F(OwnZoo, FilesLieBesideIt) {
  const std::string digits(64, 'A');
  const auto zoo =
      read("my-net: {recipe: nets/mine.yaml, url: 'http://mirror/x', vocabulary: words.txt, sha256: " + digits +
           "}\nother: {recipe: MVITv2_S_16x4, url: 'https://mirror/y', classes: 7}\n");
  ASSERT_EQ(zoo.size(), 2U);
  EXPECT_EQ(zoo[0].recipe, folder.path() / "nets/mine.yaml");
  EXPECT_EQ(zoo[0].vocabulary, folder.path() / "words.txt");
  EXPECT_EQ(zoo[0].sha256, std::string(64, 'a'));
  EXPECT_EQ(zoo[1].recipe, "MVITv2_S_16x4");
  EXPECT_EQ(recipe_of(zoo[1]).model.num_classes, 7);
  EXPECT_EQ(&find_entry(zoo, "other"), &zoo[1]);
}

TEST_F(OwnZoo, AnUnknownNameComesWithTheNearest) {
  const auto zoo = read_zoo(shipped_zoo());
  try {
    find_entry(zoo, "mvitv2-s-16x4-k40");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
    EXPECT_THAT(e.what(), HasSubstr("did you mean mvitv2-s-16x4-k400?"));
  }
}

TEST_F(OwnZoo, WhatIsNoZooIsRefusedWithItsPlace) {
  const std::string good = "recipe: MVITv2_S_16x4, url: 'http://a/b'";
  for (const auto& [text, word] :
       std::initializer_list<std::pair<std::string, std::string>>{{"", "lists no weights"},
                                                                  {"[1, 2]", "lists no weights"},
                                                                  {"a: {" + good + ", top1: 181}", "zoo.yml:1"},
                                                                  {"a: {" + good + ", classes: many}", "zoo.yml:1"},
                                                                  {"a: {" + good + ", vocabluary: x}", "vocabulary"},
                                                                  {"a: {" + good + ", sha256: 12}", "64 hexadecimal"},
                                                                  {"a: {url: 'http://a/b'}", "needs a recipe"},
                                                                  {"a: {recipe: x, url: 'ftp://a/b'}", "http or https"},
                                                                  {"a: text", "zoo.yml:1"},
                                                                  {"../a: {" + good + "}", "is no name"},
                                                                  {"a.part: {" + good + "}", "is no name"},
                                                                  {"'': {" + good + "}", "is no name"}}) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code, Code::invalid_config) << text;
    EXPECT_THAT(error.message, HasSubstr(word)) << text;
  }
}

}  // namespace
}  // namespace reeltag::model_selection

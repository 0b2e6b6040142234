#include "reeltag/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "vocabulary/vocabulary.hpp"

namespace reeltag::dataset {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Computed with Python: int(hashlib.sha1((salt + group).encode()).hexdigest(), 16) % 100.
TEST(Split, IsThePublishedRule) {
  struct Case {
    const char* salt;
    const char* group;
    int bucket;
  };
  for (const auto& [salt, group, bucket] :
       {Case{"val", "a", 19}, Case{"val", "f62f55209f", 90}, Case{"reeltag", "", 97}, Case{"", "Việt", 18}}) {
    const std::string s = salt;
    EXPECT_EQ(split_of({.val = bucket + 1, .test = 0, .salt = s}, group), Split::val) << group;
    EXPECT_EQ(split_of({.val = bucket, .test = 0, .salt = s}, group), Split::train) << group;
    EXPECT_EQ(split_of({.val = 0, .test = 100 - bucket, .salt = s}, group), Split::test) << group;
    EXPECT_EQ(split_of({.val = 0, .test = 99 - bucket, .salt = s}, group), Split::train) << group;
  }
}

TEST(Split, SharesAreAsAsked) {
  std::array<int, 3> counts{};
  for (int i = 0; i < 20000; ++i) {
    ++counts[static_cast<std::size_t>(split_of({.val = 10, .test = 20, .salt = "s"}, "group" + std::to_string(i)))];
  }
  EXPECT_NEAR(counts[1], 2000, 150);
  EXPECT_NEAR(counts[2], 4000, 200);
}

TEST(Split, TurnsTestEveryGroupOnce) {
  for (int i = 0; i < 500; ++i) {
    const std::string group = "group" + std::to_string(i);
    int tested = 0;
    for (const int turn : {0, 20, 40, 60, 80})
      tested += split_of({.val = 10, .test = 20, .salt = "s", .turn = turn}, group) == Split::test ? 1 : 0;
    EXPECT_EQ(tested, 1) << group;
  }
}

TEST(Vocabulary, IsOrderedBySupportThenNameAndBounded) {
  std::vector<Item> items(5);
  items[0].hashtags = {"b", "fyp", "a"};
  items[1].hashtags = {"fyp", "b"};
  items[2].hashtags = {"a", "c"};
  items[3].hashtags = {"c"};
  items[4].hashtags = {"fyp", "d"};
  EXPECT_THAT(frequent_hashtags(items, LabelMode::multi, {}, 2, 100), ElementsAre("fyp", "a", "b", "c"));
  EXPECT_THAT(frequent_hashtags(items, LabelMode::multi, {"fyp"}, 1, 3), ElementsAre("a", "b", "c"));
  // In single mode only the first that is not blocked counts.
  EXPECT_THAT(frequent_hashtags(items, LabelMode::single, {"fyp"}, 1, 100), ElementsAre("b", "a", "c", "d"));
  EXPECT_THAT(frequent_hashtags(items, LabelMode::multi, {}, 4, 100), IsEmpty());
}

TEST(Vocabulary, LabelsOfTheModes) {
  const auto index = index_of({"a", "b", "c"});
  EXPECT_THAT(labels_of({"c", "x", "a", "c"}, index, LabelMode::multi), ElementsAre(0, 2));
  EXPECT_THAT(labels_of({"x", "c", "a"}, index, LabelMode::single), ElementsAre(2));
  EXPECT_THAT(labels_of({"x"}, index, LabelMode::single), IsEmpty());
}

TEST(Vocabulary, FilesHaveCommentsAndAreNormalized) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "list.txt";
  std::ofstream(file, std::ios::binary) << "\xEF\xBB\xBF# reviewed\nTennis\r\n\n smash  # a stroke\nTENNIS\nc#\n";
  EXPECT_THAT(read_hashtags(file), ElementsAre("tennis", "smash", "c#"));
  std::ofstream(file, std::ios::binary) << "#tennis\n#smash\n";
  EXPECT_THROW(read_hashtags(file), Exception);
  std::ofstream(file, std::ios::binary) << "tennis\n\xff\xfe\n";
  EXPECT_THROW(read_hashtags(file), Exception);
  EXPECT_THROW(read_hashtags(folder.path() / "none"), Exception);
}

TEST(Dataset, CountsSupportAndJson) {
  Dataset set;
  set.id = "0123456789abcdef";
  set.vocabulary = {"a", "b"};
  set.items = {
      {.video = "1", .key = "k", .group = "g", .split = Split::train, .labels = {0, 1}, .hashtags = {}, .caption = ""},
      {.video = "2", .key = "k", .group = "h", .split = Split::val, .labels = {1}, .hashtags = {}, .caption = ""},
      {.video = "3", .key = "k", .group = "g", .split = Split::train, .labels = {}, .hashtags = {}, .caption = ""}};
  set.rejected = {{"4", "no hashtag of the vocabulary"}};
  EXPECT_EQ(set.count(Split::train), 2);
  EXPECT_THAT(set.support(), ElementsAre(ElementsAre(1, 0, 0), ElementsAre(1, 1, 0)));
  const auto json = nlohmann::json::parse(to_json(set));
  EXPECT_EQ(json["dataset"], set.id);
  EXPECT_EQ(json["videos"], (nlohmann::json{{"train", 2}, {"val", 1}, {"test", 0}}));
  EXPECT_EQ(json["hashtags"], 2);
  EXPECT_EQ(json["vocabulary"][1], (nlohmann::json{{"hashtag", "b"}, {"train", 1}, {"val", 1}, {"test", 0}}));
  EXPECT_EQ(json["rejected"][0]["video"], "4");
  EXPECT_NO_THROW(check_groups(set));
  set.items[2].split = Split::test;
  EXPECT_THROW(check_groups(set), Exception);
}

TEST(Dataset, OneClassCannotBeToldFromAnother) {
  Dataset set;
  set.id = "d";
  set.vocabulary = {"cat"};
  EXPECT_NO_THROW(check_classes(set));  // several labels: a hashtag or not
  set.label_mode = LabelMode::single;
  try {
    check_classes(set);
    FAIL();
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("one class, #cat"));
  }
  set.vocabulary = {"cat", "dog"};
  EXPECT_NO_THROW(check_classes(set));
}

}  // namespace
}  // namespace reeltag::dataset

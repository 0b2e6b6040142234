#include "asked.hpp"

#include <gtest/gtest.h>

namespace reeltag::serve::sagemaker {
namespace {

Asked good(Content content, std::string_view text) {
  auto asked = asked_of(content, text);
  if (!asked) throw Exception(asked.error());
  return *asked;
}

std::string complaint(Content content, std::string_view text) {
  const auto asked = asked_of(content, text);
  return asked ? "none" : asked.error().message;
}

TEST(Asked, OneVideoByEachKindOfReference) {
  for (const auto& [key, where] :
       {std::pair{"s3_uri", Where::s3}, {"url", Where::url}, {"b64", Where::base64}, {"base64", Where::base64}}) {
    const auto asked = good(Content::json, std::string(R"({")") + key + R"(":"it"})");
    EXPECT_FALSE(asked.many);
    ASSERT_EQ(asked.entries.size(), 1U);
    EXPECT_EQ(asked.entries[0].item->where, where);
    EXPECT_EQ(asked.entries[0].item->value, "it");
  }
}

TEST(Asked, WishesOfOneGoBeforeWishesForAll) {
  const auto asked = good(Content::json, R"({"top":3,"threshold":0.5,"deadline":9,"instances":[
      {"url":"a"},{"url":"b","top":1,"threshold":0,"deadline":4,"id":"second"}]})");
  EXPECT_TRUE(asked.many);
  EXPECT_EQ(asked.entries[0].item->wishes.top, 3);
  EXPECT_EQ(asked.entries[0].item->wishes.threshold, 0.5);
  EXPECT_EQ(asked.entries[0].name, "a");
  EXPECT_EQ(asked.entries[1].item->wishes.top, 1);
  EXPECT_EQ(asked.entries[1].item->wishes.threshold, 0.0);
  EXPECT_EQ(asked.entries[1].name, "second");
  EXPECT_EQ(asked.deadline, 4.0);
}

TEST(Asked, OneBadOfSeveralIsAnErrorInItsPlace) {
  const auto asked = good(Content::json, R"({"instances":[{"url":"a"},7,{},{"url":"a","b64":"b"},{"ulr":"a"}]})");
  ASSERT_EQ(asked.entries.size(), 5U);
  EXPECT_TRUE(asked.entries[0].item);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_FALSE(asked.entries[i].item) << i;
  EXPECT_EQ(asked.entries[2].name, "instances[2]");
  EXPECT_NE(asked.entries[4].item.error().message.find("do you mean 'url'"), std::string::npos);
}

TEST(Asked, LinesAreCountedAsTheyStand) {
  const auto asked = good(Content::json_lines, "{\"url\":\"a\"}\r\n\n{broken\n{\"b64\":\"AAAA\"}");
  ASSERT_EQ(asked.entries.size(), 3U);
  EXPECT_TRUE(asked.many);
  EXPECT_TRUE(asked.entries[0].item);
  EXPECT_EQ(asked.entries[1].name, "line 3");
  EXPECT_FALSE(asked.entries[1].item);
  EXPECT_EQ(asked.entries[2].name, "line 4");
}

TEST(Asked, ASingleBadRequestFailsAsAWhole) {
  EXPECT_NE(complaint(Content::json, "{"), "none");
  EXPECT_NE(complaint(Content::json, "[]"), "none");
  EXPECT_NE(complaint(Content::json, "{}"), "none");
  EXPECT_NE(complaint(Content::json, R"({"url":7})"), "none");
  EXPECT_NE(complaint(Content::json, R"({"instances":[]})"), "none");
  EXPECT_NE(complaint(Content::json, R"({"instances":{}})"), "none");
  EXPECT_NE(complaint(Content::json, R"({"instances":[{"url":"a"}],"url":"b"})"), "none");
  EXPECT_NE(complaint(Content::json_lines, " \n\n"), "none");
  for (const char* wish : {R"("top":0)", R"("top":1.5)", R"("top":"3")", R"("threshold":1.1)", R"("threshold":null)",
                           R"("deadline":0)", R"("deadline":1e9)"}) {
    EXPECT_NE(complaint(Content::json, std::string(R"({"url":"a",)") + wish + "}"), "none") << wish;
  }
}

TEST(Asked, WishesStandInAQueryToo) {
  const auto wishes = wishes_of({{"top", "2"}, {"other", "x"}, {"deadline", "1.5"}});
  ASSERT_TRUE(wishes);
  EXPECT_EQ(wishes->top, 2);
  EXPECT_EQ(wishes->deadline, 1.5);
  EXPECT_FALSE(wishes_of({{"top", "two"}}));
}

}  // namespace
}  // namespace reeltag::serve::sagemaker

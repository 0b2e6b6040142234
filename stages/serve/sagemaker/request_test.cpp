#include "request.hpp"

#include <gtest/gtest.h>

namespace reeltag::serve::sagemaker {
namespace {

InvocationRequest good(Content content, std::string_view text) {
  auto request = parse_request(content, text);
  if (!request) throw Exception(request.error());
  return *request;
}

std::string complaint(Content content, std::string_view text) {
  const auto request = parse_request(content, text);
  return request ? "none" : request.error().message;
}

TEST(InvocationRequest, OneVideoByEachKindOfReference) {
  for (const auto& [key, where] : {std::pair{"s3_uri", InputKind::s3},
                                   {"url", InputKind::url},
                                   {"b64", InputKind::base64},
                                   {"base64", InputKind::base64}}) {
    const auto request = good(Content::json, std::string(R"({")") + key + R"(":"it"})");
    EXPECT_FALSE(request.many);
    ASSERT_EQ(request.entries.size(), 1U);
    EXPECT_EQ(request.entries[0].item->where, where);
    EXPECT_EQ(request.entries[0].item->value, "it");
  }
}

TEST(InvocationRequest, WishesOfOneGoBeforeWishesForAll) {
  const auto request = good(Content::json, R"({"top":3,"threshold":0.5,"deadline":9,"instances":[
      {"url":"a"},{"url":"b","top":1,"threshold":0,"deadline":4,"id":"second"}]})");
  EXPECT_TRUE(request.many);
  EXPECT_EQ(request.entries[0].item->overrides.top, 3);
  EXPECT_EQ(request.entries[0].item->overrides.threshold, 0.5);
  EXPECT_EQ(request.entries[0].name, "a");
  EXPECT_EQ(request.entries[1].item->overrides.top, 1);
  EXPECT_EQ(request.entries[1].item->overrides.threshold, 0.0);
  EXPECT_EQ(request.entries[1].name, "second");
  EXPECT_EQ(request.deadline, 4.0);
}

TEST(InvocationRequest, OneBadOfSeveralIsAnErrorInItsPlace) {
  const auto request = good(Content::json, R"({"instances":[{"url":"a"},7,{},{"url":"a","b64":"b"},{"ulr":"a"}]})");
  ASSERT_EQ(request.entries.size(), 5U);
  EXPECT_TRUE(request.entries[0].item);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_FALSE(request.entries[i].item) << i;
  EXPECT_EQ(request.entries[2].name, "instances[2]");
  EXPECT_NE(request.entries[4].item.error().message.find("do you mean 'url'"), std::string::npos);
}

TEST(InvocationRequest, LinesAreCountedAsTheyStand) {
  const auto request = good(Content::json_lines, "{\"url\":\"a\"}\r\n\n{broken\n{\"b64\":\"AAAA\"}");
  ASSERT_EQ(request.entries.size(), 3U);
  EXPECT_TRUE(request.many);
  EXPECT_TRUE(request.entries[0].item);
  EXPECT_EQ(request.entries[1].name, "line 3");
  EXPECT_FALSE(request.entries[1].item);
  EXPECT_EQ(request.entries[2].name, "line 4");
}

TEST(InvocationRequest, ASingleBadRequestFailsAsAWhole) {
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

TEST(InvocationRequest, WishesStandInAQueryToo) {
  const auto overrides = overrides_of({{"top", "2"}, {"other", "x"}, {"deadline", "1.5"}});
  ASSERT_TRUE(overrides);
  EXPECT_EQ(overrides->top, 2);
  EXPECT_EQ(overrides->deadline, 1.5);
  EXPECT_FALSE(overrides_of({{"top", "two"}}));
}

}  // namespace
}  // namespace reeltag::serve::sagemaker

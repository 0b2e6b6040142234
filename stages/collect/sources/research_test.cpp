#include "sources/research.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crawl/test_clock.hpp"
#include "reeltag/base/error.hpp"
#include "sources/research_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Item item_of(const std::string& text, const std::string& media = "") { return research_item(json::parse(text), media); }

TEST(ResearchItem, KeepsIdsWholeAndNamesOut) {
  const auto item = item_of(R"({"id": 7300000000000000123, "username": "alice", "create_time": 1700000000,
    "video_description": "My #Cats", "hashtag_names": ["Fun", "cats"], "music_id": 7300000000000000999,
    "view_count": 5, "video_mention_list": ["bob"], "region_code": "US"})");
  EXPECT_EQ(item.id, "7300000000000000123");
  EXPECT_EQ(item.author, "alice");
  EXPECT_EQ(item.created, 1'700'000'000);
  EXPECT_THAT(item.hashtags, ElementsAre("fun", "cats"));
  EXPECT_THAT(item.attributes, HasSubstr("7300000000000000999"));
  EXPECT_THAT(item.attributes, Not(HasSubstr("alice")));
  EXPECT_THAT(item.attributes, Not(HasSubstr("bob")));
  EXPECT_EQ(item.url, "");
  EXPECT_EQ(item_of(R"({"id": "12"})", "https://a.example/{id}.mp4?v={id}").url, "https://a.example/12.mp4?v=12");
}

TEST(ResearchItem, WhatIsMissingOrOfAnotherKindIsEmpty) {
  for (const char* text : {"{}", "[]", "5", "null", R"({"id": 1.5, "username": 1.5, "create_time": "x"})",
                           R"({"id": "../7", "username": {}, "create_time": 0, "hashtag_names": {"a": 1}})"}) {
    const auto item = item_of(text, "https://a.example/{id}");
    EXPECT_EQ(item.id, "") << text;
    EXPECT_EQ(item.author, "") << text;
    EXPECT_EQ(item.created, std::nullopt) << text;
    EXPECT_EQ(item.url, "") << text;
  }
}

SourceFailure failure_of(int status, const std::string& body, std::map<std::string, std::string> headers = {}) {
  std::string code;
  const auto got = read_answer(http::Response{.status = status, .headers = std::move(headers), .body = body}, code);
  return got ? SourceFailure{SourceError::unavailable, "no failure"} : got.error();
}
std::string error_of(const std::string& code, const std::string& message = "") {
  return json{{"data", json::object()}, {"error", {{"code", code}, {"message", message}, {"log_id", "1"}}}}.dump();
}

TEST(ReadAnswer, TellsTheTwoKindsOf429) {
  EXPECT_EQ(failure_of(429, error_of("rate_limit_exceeded")).kind, SourceError::rate_limited);
  EXPECT_EQ(failure_of(429, error_of("rate_limit_exceeded", "the daily limit"), {}).kind, SourceError::rate_limited);
  EXPECT_EQ(failure_of(429, error_of("daily_quota_limit_exceeded")).kind, SourceError::quota);
  EXPECT_EQ(failure_of(429, error_of("too_many", "Your quota is used up")).kind, SourceError::quota);
  EXPECT_EQ(failure_of(429, "", {{"retry-after", "7"}}).kind, SourceError::rate_limited);
  EXPECT_EQ(failure_of(429, "", {{"retry-after", "7"}}).retry_after, 7.0);
}

TEST(ReadAnswer, TellsWhatToDo) {
  const std::string challenge = "<html><i id=\"cs\" class=\"e30=\"></i><i id=\"wci\" class=\"x\"></i></html>";
  EXPECT_EQ(failure_of(200, challenge).kind, SourceError::blocked);
  EXPECT_EQ(failure_of(403, "<html>no</html>").kind, SourceError::blocked);
  EXPECT_EQ(failure_of(502, "<html>Bad Gateway</html>").kind, SourceError::unavailable);
  EXPECT_EQ(failure_of(200, "<html>moved</html>").kind, SourceError::schema_changed);
  EXPECT_EQ(failure_of(500, error_of("internal_error")).kind, SourceError::unavailable);
  EXPECT_EQ(failure_of(200, "").kind, SourceError::unavailable);
  EXPECT_EQ(failure_of(200, "{\"data\": ").kind, SourceError::unavailable);
  EXPECT_EQ(failure_of(302, "").kind, SourceError::schema_changed);
  EXPECT_EQ(failure_of(401, error_of("access_token_invalid")).kind, SourceError::refused);
  EXPECT_EQ(failure_of(400, error_of("invalid_params", "Invalid count or cursor")).kind, SourceError::schema_changed);
  EXPECT_THAT(failure_of(400, error_of("invalid_params", "a\nb")).message, HasSubstr("invalid_params: a b"));
  EXPECT_EQ(failure_of(200, error_of("ok")).message, "no failure");
}

json preview(const ResearchConfig& config, const std::string& cursor = "", int want = 20) {
  TestClock clock;  // 2025-11-26
  const ResearchSource source(config, {}, {}, clock);
  json all = json::array();
  for (const auto& one : source.preview({.hashtag = "cats", .cursor = cursor, .want = want})) {
    all.push_back(json::parse(one));
  }
  return all;
}

TEST(Research, WindowsHaveAtMostThirtyDays) {
  const auto usual = preview({});
  ASSERT_EQ(usual.size(), 1U);
  const auto& body = usual[0]["body"];
  EXPECT_EQ(body["start_date"], "20251028");
  EXPECT_EQ(body["end_date"], "20251126");
  EXPECT_EQ(body["max_count"], 20);
  EXPECT_EQ(body["query"]["and"][0],
            (json{{"operation", "EQ"}, {"field_name", "hashtag_name"}, {"field_values", {"cats"}}}));
  EXPECT_FALSE(body.contains("search_id"));
  EXPECT_THAT(usual[0]["url"].get<std::string>(), HasSubstr("/v2/research/video/query/?fields=id,"));

  ResearchConfig config;
  config.since = "2024-01-15";
  config.until = "2024-03-20";
  config.regions = {"US", "VN"};
  const auto three = preview(config, "", 500);
  ASSERT_EQ(three.size(), 3U);
  EXPECT_EQ(three[0]["body"]["start_date"], "20240115");
  EXPECT_EQ(three[0]["body"]["end_date"], "20240213");
  EXPECT_EQ(three[1]["body"]["start_date"], "20240214");
  EXPECT_EQ(three[2]["body"]["end_date"], "20240320");
  EXPECT_EQ(three[0]["body"]["max_count"], 100);
  EXPECT_EQ(three[0]["body"]["query"]["and"][1]["field_values"], (json{"US", "VN"}));
}

TEST(Research, ACursorIsGoneOnFrom) {
  const auto on = preview({}, R"({"from": 20400, "until": 20401, "offset": 60, "search_id": "77"})");
  ASSERT_EQ(on.size(), 1U);
  EXPECT_EQ(on[0]["body"]["cursor"], 60);
  EXPECT_EQ(on[0]["body"]["search_id"], "77");
  EXPECT_EQ(preview({}, R"({"from": 20400})")[0]["body"]["end_date"], "20251126");
  EXPECT_EQ(preview({}, "nonsense").size(), 1U);
}

TEST(Research, WhatCannotWorkIsSaidAtOnce) {
  TestClock clock;
  const auto refusal = [&](auto change) {
    ResearchConfig config;
    change(config);
    try {
      const ResearchSource source(config, {}, {}, clock);
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal([](auto& c) { c.since = "26.11.2025"; }), HasSubstr("research.since"));
  EXPECT_THAT(refusal([](auto& c) { c.until = "2025-02-30"; }), HasSubstr("research.until"));
  EXPECT_THAT(refusal([](auto& c) { c.api = "http://open.tiktokapis.com"; }), HasSubstr("https"));
  EXPECT_THAT(refusal([](auto& c) { c.api = "http://127.0.0.1.evil.example"; }), HasSubstr("https"));
  EXPECT_THAT(refusal([](auto& c) { c.media = "https://a.example/"; }), HasSubstr("{id}"));
  EXPECT_EQ(refusal([](auto& c) { c.api = "http://127.0.0.1:8080/"; }), "");
}

}  // namespace
}  // namespace reeltag::collect

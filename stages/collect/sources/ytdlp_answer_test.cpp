#include "sources/ytdlp_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace reeltag::collect {
namespace {

using nlohmann::json;
using testing::ElementsAre;

Outcome outcome(const std::string& kind, const std::string& message, int status = 0) {
  Item item;
  fail_item({{"kind", kind}, {"message", message}, {"status", status}}, item);
  return *item.failed;
}
Outcome said(const std::string& message, int status = 0) { return outcome("other", message, status); }

// Messages as yt-dlp words them.
TEST(YtdlpAnswer, NamesTheOutcomeOfAnItem) {
  EXPECT_EQ(outcome("challenge", "a challenge page came"), Outcome::blocked);
  EXPECT_EQ(said("[TikTok] 7: Your IP address is blocked from accessing this post"), Outcome::blocked);
  EXPECT_EQ(said("[youtube] x: Sign in to confirm you're not a bot"), Outcome::blocked);
  EXPECT_EQ(said("Got HTTP Error 403 caused by Cloudflare anti-bot challenge", 403), Outcome::blocked);
  EXPECT_EQ(said("[TikTok] 7: You do not have permission to view this post. Log into an account that has access"),
            Outcome::private_video);
  EXPECT_EQ(said("[TikTok] 7: TikTok is requiring login for access to this content"), Outcome::private_video);
  EXPECT_EQ(said("[youtube] x: Private video. Sign in if you've been granted access"), Outcome::private_video);
  EXPECT_EQ(said("[TikTok] 7: Video not available, status code 10231"), Outcome::deleted);
  EXPECT_EQ(said("[generic] Unable to download webpage: HTTP Error 404: Not Found", 404), Outcome::deleted);
  EXPECT_EQ(said("[TikTok] 7: Unexpected response from webpage request"), Outcome::schema_changed);
  EXPECT_EQ(said("[TikTok] 7: Unable to extract universal data for rehydration"), Outcome::schema_changed);
  EXPECT_EQ(said("[x] Unable to download webpage: HTTP Error 503: Service Unavailable", 503), Outcome::unavailable);
  EXPECT_EQ(said("[x] Unable to download webpage: timed out"), Outcome::unavailable);
  EXPECT_EQ(outcome("format", "no format of it can be decoded"), Outcome::decode_failed);
  EXPECT_EQ(outcome("no_video", "there is no video in it"), Outcome::not_a_video);
  EXPECT_EQ(outcome("playlist", "is a list"), Outcome::not_a_video);
  EXPECT_EQ(outcome("late", "had not answered in time"), Outcome::unavailable);
  EXPECT_EQ(outcome("", ""), Outcome::unavailable);
}

TEST(YtdlpAnswer, OnlyAChallengeIsSaidToWhoeverAsks) {
  Item one, other;
  fail_item({{"kind", "other"}, {"message", "Your IP address is blocked from accessing this post"}}, one);
  fail_item({{"kind", "challenge"}, {"message", "a challenge page came"}}, other);
  EXPECT_TRUE(one.only_this);
  EXPECT_FALSE(other.only_this);
  Item odd;
  fail_item(json::array(), odd);
  EXPECT_EQ(odd.failed, Outcome::unavailable);
}

TEST(YtdlpAnswer, ReadsAVideo) {
  const auto item = ytdlp_item({{"id", "7"},
                                {"site", "vimeo"},
                                {"uploader", "Ada"},
                                {"description", "my #Cat"},
                                {"tags", {"Pets", "cat"}},
                                {"upload_date", "20240102"},
                                {"view_count", 5},
                                {"url", "https://cdn.test/7"},
                                {"headers", {"Referer: https://x/", "Bad: a\r\nHost: b", 7}}});
  EXPECT_EQ(item.id, "7");
  EXPECT_EQ(item.site, "vimeo");
  EXPECT_TRUE(item.anonymous);
  EXPECT_THAT(item.hashtags, ElementsAre("cat", "pets"));
  EXPECT_EQ(item.created, 1'704'153'600);
  EXPECT_EQ(item.attributes, R"({"upload_date":"20240102","view_count":5})");
  EXPECT_THAT(item.headers, ElementsAre("Referer: https://x/"));
  EXPECT_FALSE(item.failed);
}

TEST(YtdlpAnswer, OddOnesDoNoHarm) {
  for (const json& odd : {json(nullptr), json::array({1}), json{{"id", 7}, {"url", 7}, {"headers", "x"}, {"site", {}}},
                          json{{"id", "7"}, {"url", "file:///etc/passwd"}}}) {
    const auto item = ytdlp_item(odd);
    EXPECT_EQ(item.url.starts_with("http"), false);
    if (odd.is_object()) {
      EXPECT_EQ(item.failed, Outcome::schema_changed);
    }
  }
}

}  // namespace
}  // namespace reeltag::collect

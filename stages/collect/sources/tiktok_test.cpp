#include "sources/tiktok.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/percent.hpp"
#include "sources/tiktok_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kVideo = R"({"id": "7300000000000000123", "desc": "mine #Cats", "createTime": 1700000000,
  "author": {"id": "5", "uniqueId": "alice", "secUid": "MS4", "nickname": "Alice A"},
  "challenges": [{"id": "1", "title": "Fun"}], "textExtra": [{"hashtagName": "kittens", "type": 1},
  {"userUniqueId": "bob", "type": 0}], "contents": [{"desc": "x", "textExtra": [{"hashtagName": "More"}]}],
  "music": {"id": "9", "title": "song", "authorName": "Carol"}, "stats": {"playCount": 7, "diggCount": 2},
  "video": {"duration": 9, "playAddr": "https://v16.tiktok.com/a?tk=1", "downloadAddr": "https://v16.tiktok.com/b"}})";

Item item_of(const std::string& text, const std::string& change = "{}", const TikTokSession& session = {}) {
  auto video = json::parse(text);
  video.merge_patch(json::parse(change));
  return tiktok_item(video, session);
}

TEST(TikTokItem, GathersHashtagsFromAllPlacesAndKeepsNamesOut) {
  const auto item = item_of(kVideo);
  EXPECT_EQ(item.id, "7300000000000000123");
  EXPECT_EQ(item.author, "alice");
  EXPECT_EQ(item.created, 1'700'000'000);
  EXPECT_EQ(item.caption, "mine #Cats");
  EXPECT_THAT(item.hashtags, ElementsAre("fun", "kittens", "more", "cats"));
  EXPECT_EQ(item.url, "https://v16.tiktok.com/a?tk=1");
  EXPECT_FALSE(item.failed);
  EXPECT_THAT(item.attributes, HasSubstr("\"view_count\":7"));
  for (const auto* name : {"alice", "Alice", "bob", "Carol"}) EXPECT_THAT(item.attributes, Not(HasSubstr(name)));
}

TEST(TikTokItem, TakesWhatTheSiteMayAlsoSay) {
  EXPECT_EQ(item_of(kVideo, R"({"author": "alice"})").author, "alice");
  EXPECT_EQ(item_of(kVideo, R"({"author": {"uniqueId": null}})").author, "5");
  EXPECT_EQ(item_of(kVideo, R"({"createTime": "1700000000"})").created, 1'700'000'000);
  EXPECT_EQ(item_of(kVideo, R"({"id": 7300000000000000123})").id, "7300000000000000123");
  EXPECT_EQ(item_of(kVideo, R"({"desc": ""})").caption, "x");
  EXPECT_EQ(item_of(kVideo, R"({"video": {"playAddr": ""}})").url, "https://v16.tiktok.com/b");
  EXPECT_EQ(item_of(kVideo, R"({"video": {"playAddr": null, "downloadAddr": null, "bitrateInfo": [
      {"CodecType": "h265_hvc1", "PlayAddr": {"UrlList": ["https://no/"]}},
      {"CodecType": "h264", "PlayAddr": {"UrlList": ["", "https://v19.tiktok.com/c"]}}]}})")
                .url,
            "https://v19.tiktok.com/c");
}

TEST(TikTokItem, SaysWhatIsWrongWithIt) {
  EXPECT_EQ(item_of(kVideo, R"({"privateItem": true})").failed, Outcome::private_video);
  EXPECT_EQ(item_of(kVideo, R"({"secret": true})").failed, Outcome::private_video);
  EXPECT_EQ(item_of(kVideo, R"({"imagePost": {"images": []}})").failed, Outcome::not_a_video);
  EXPECT_EQ(item_of(kVideo, R"({"video": null})").failed, Outcome::schema_changed);
  EXPECT_EQ(item_of(kVideo, R"({"video": {"playAddr": "file:///etc/x", "downloadAddr": 5}})").failed,
            Outcome::schema_changed);
}

TEST(TikTokItem, WhatIsMissingOrOfAnotherKindIsEmpty) {
  for (const char* text : {"{}", "[]", "5", "null", R"({"id": 1.5, "author": 1.5, "createTime": "x", "stats": []})",
                           R"({"id": "../7", "author": {}, "createTime": 0, "challenges": {"a": 1}, "desc": {}})",
                           R"({"id": {}, "author": [], "createTime": -5, "textExtra": [1, null], "contents": 5})"}) {
    const auto item = item_of(text);
    EXPECT_EQ(item.id, "") << text;
    EXPECT_EQ(item.author, "") << text;
    EXPECT_EQ(item.created, std::nullopt) << text;
    EXPECT_EQ(item.url, "") << text;
    EXPECT_TRUE(item.hashtags.empty()) << text;
  }
}

TEST(TikTokSession, CookiesGoWhereTheyBelong) {
  const TikTokSession session{.user_agent = "Mozilla/5.0 (X11; Linux)",
                              .cookies = {{"a", "1", ".tiktok.com"},
                                          {"b", "2", "www.tiktok.com"},
                                          {"c", "3", ".v16.tiktok.com"},
                                          {"bad", "4\r\nHost: x", ".tiktok.com"}}};
  EXPECT_THAT(
      session.headers_for("https://v16.tiktok.com/video?x=1"),
      ElementsAre("Referer: https://www.tiktok.com/", "User-Agent: Mozilla/5.0 (X11; Linux)", "Cookie: a=1; c=3"));
  for (const auto* other : {"http://v16.tiktok.com/", "https://nottiktok.com/", "https://tiktok.com.example/",
                            "https://example.org/?.tiktok.com", "https:///", "https://example.org#.tiktok.com"}) {
    for (const auto& header : session.headers_for(other)) EXPECT_THAT(header, Not(HasSubstr("Cookie"))) << other;
  }
}

TEST(PercentEncoded, LeavesOnlyWhatNeedsNoCare) {
  EXPECT_EQ(percent_encoded("aZ9-_.~"), "aZ9-_.~");
  EXPECT_EQ(percent_encoded("c\xC3\xB4 &="), "c%C3%B4%20%26%3D");
}

PageRequest cats(const std::string& cursor = "") { return {.hashtag = "cats", .cursor = cursor, .want = 5}; }

struct CountingGate final : Gate {
  tl::expected<void, SourceFailure> enter(bool counted) override {
    ++(counted ? pages : others);
    return {};
  }
  int pages = 0, others = 0;
};

// A scripted bridge: each line of the script is one answer; a line that is not JSON is a shell command.
class TikTokSourceTest : public testing::Test {
 protected:
  TikTokSource source(const std::vector<std::string>& answers, TikTokConfig config = {}) {
    std::string script;
    for (const auto& answer : answers) {
      script += "read line; printf '%s\\n' \"$line\" >> " + asked().string() + "\n";
      script += answer.starts_with('{') ? "cat <<'END'\n" + answer + "\nEND\n" : answer + "\n";
    }
    script += "read line\n";
    config.restarts = 1;
    return {config, [script] { return std::vector<std::string>{"/bin/sh", "-c", script}; }, {}};
  }
  [[nodiscard]] std::filesystem::path asked() const { return folder.path() / "asked"; }
  [[nodiscard]] std::string requests() const { return read_file(asked(), 1 << 20).value_or(""); }

  TemporaryFolder folder{"tiktok-test"};
  CountingGate gate;
};

const std::string kOpen = R"({"headers":{"user-agent":"browser"}})";
const std::string kChallenge = R"({"answer":{"challengeInfo":{"challenge":{"id":"42","title":"cats"}}}})";
std::string page_with(const std::string& items, bool more, const std::string& cursor = "30") {
  return R"({"answer":{"itemList":[)" + items + R"(],"cursor":")" + cursor + R"(","hasMore":)" +
         (more ? "true" : "false") + R"(},"cookies":[{"name":"t","value":"1","domain":".tiktok.com"}]})";
}
std::string one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

TEST_F(TikTokSourceTest, GoesFromPageToPage) {
  auto site = source({kOpen, kChallenge, page_with(one_line(kVideo), true), page_with("", false)});
  const auto first = site.page(cats(), gate);
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->items.size(), 1U);
  EXPECT_THAT(first->items[0].headers, testing::Contains("Cookie: t=1"));
  EXPECT_TRUE(first->more);
  const auto second = site.page(cats(first->next), gate);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_FALSE(second->more);
  EXPECT_EQ(second->next, "");
  EXPECT_EQ(gate.pages, 2);
  EXPECT_EQ(gate.others, 2);  // the start page, the hashtag
  EXPECT_THAT(requests(), HasSubstr(R"("name":"cats")"));
  EXPECT_THAT(requests(), HasSubstr(R"("ask":"page","challenge":"42","count":30,"cursor":"30")"));
}

TEST_F(TikTokSourceTest, AHashtagThatTheSiteDoesNotKnowHasNoVideos) {
  auto site = source({kOpen, R"({"answer":{"statusCode":10205}})"});
  const auto page = site.page(cats(), gate);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->items.empty());
  EXPECT_FALSE(page->more);
}

TEST_F(TikTokSourceTest, TellsTroublesApart) {
  const std::string challenge = R"(<html><p id=\"cs\"></p><p id=\"wci\" class=\"_wafchallengeid\"></p></html>)";
  const std::pair<std::string, SourceError> cases[] = {
      {R"({"error":"empty","message":"nothing"})", SourceError::unavailable},
      {R"({"error":"not_json","message":"?","body":"{"})", SourceError::unavailable},
      {R"({"error":"not_json","message":"?","body":")" + challenge + R"("})", SourceError::blocked},
      {R"({"error":"browser","message":"crashed"})", SourceError::unavailable},
      {R"({"answer":{"statusCode":10000,"statusMsg":"internal"}})", SourceError::unavailable},
      {R"({"answer":{"items":[]}})", SourceError::schema_changed},
      {R"({"answer":[]})", SourceError::schema_changed},
      {"exit 1", SourceError::unavailable},
      {"echo nonsense", SourceError::unavailable},
  };
  for (const auto& [answer, kind] : cases) {
    auto site = source({kOpen, kChallenge, answer});
    const auto page = site.page(cats(), gate);
    ASSERT_FALSE(page) << answer;
    EXPECT_EQ(page.error().kind, kind) << answer << ": " << page.error().message;
  }
  auto blocked = source({R"({"error":"page","message":"?","body":")" + challenge + R"("})"});
  EXPECT_EQ(blocked.page(cats(), gate).error().kind, SourceError::blocked);
}

TEST_F(TikTokSourceTest, AHangIsEndedAndAfterSomeStartsItGivesUp) {
  TikTokConfig config;
  config.deadline = 1.0;
  auto site = source({"cat > /dev/null"}, config);
  EXPECT_THAT(site.page(cats(), gate).error().message, HasSubstr("no answer in time"));
  EXPECT_THAT(site.page(cats(), gate).error().message, HasSubstr("no answer in time"));
  const auto spent = site.page(cats(), gate);
  ASSERT_FALSE(spent);
  EXPECT_THAT(spent.error().message, HasSubstr("collect.tiktok.restarts"));
  EXPECT_GT(spent.error().retry_after, 3600);
}

TEST_F(TikTokSourceTest, ShowsWhatItWouldAsk) {
  const auto site = source({});
  EXPECT_THAT(site.preview({.hashtag = "c\xC3\xB4", .cursor = ""}),
              ElementsAre(HasSubstr("https://www.tiktok.com/\""), HasSubstr("challengeName=c%C3%B4"),
                          HasSubstr("challengeID={id}&count=30&cursor=0")));
  EXPECT_EQ(site.preview(cats(R"({"challenge":"42","cursor":"60"})")).size(), 2U);
  EXPECT_EQ(requests(), "");
}

TEST(FindChromium, TakesTheOneThatIsNamedOrNone) {
  TikTokConfig config;
  config.chromium = "/bin/sh";
  EXPECT_EQ(find_chromium(config), "/bin/sh");
  config.chromium = "/no/such/chromium";
  EXPECT_TRUE(find_chromium(config).empty());
  try {
    (void)tiktok_command(config, "/nowhere", {});
    FAIL() << "it went on";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::invalid_config);
    EXPECT_THAT(e.what(), HasSubstr("apt-get install chromium"));
  }
}

}  // namespace
}  // namespace reeltag::collect

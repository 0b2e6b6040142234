#include "sources/ytdlp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Plays back a script file in the lines of bridges/ytdlp/ask.py, and records its requests.
constexpr const char* kScript = R"(
import json, os, sys, time
job = json.load(sys.stdin)
here = os.path.dirname(os.path.abspath(__file__))
plan = json.load(open(here + "/plan.json"))
with open(here + "/jobs", "a") as jobs:
    jobs.write(job["list"] + "@" + str(job["from"]) if "list" in job else " ".join(job["items"]))
    jobs.write("\n")
def say(**line):
    print(json.dumps(line), flush=True)
say(ready="1")
if "error" in plan:
    say(error=plan["error"])
elif "list" in job:
    say(asks=job["list"])
    part = plan["list"][job["from"] - 1:][:job["count"]]
    for entry in part:
        say(entry=entry)
    say(listed=len(part))
else:
    for index, url in enumerate(job["items"]):
        say(asks=url)
        what = plan["items"].get(url, {"info": {"id": url[-1], "site": "tiktok", "uploader": "ada", "timestamp": 7,
                                                 "description": "so #Cute", "url": "https://cdn.test/" + url[-1]}})
        if what == "crash":
            os._exit(3)
        if what == "hang":
            time.sleep(600)
        if what == "junk":
            print("{", flush=True)
        else:
            say(item=index, **what)
)";

class CountingGate final : public Gate {
 public:
  tl::expected<void, SourceFailure> enter(bool) override {
    ++entered;
    return {};
  }
  int entered = 0;
};

json entry(int number) {
  const auto id = std::to_string(number);
  return {{"url", "https://site.test/" + id}, {"id", id}, {"site", "tiktok"}};
}

class Ytdlp : public testing::Test {
 protected:
  Ytdlp() {
    config.address = "https://site.test/tag/{hashtag}";
    write_file(folder.path() / "ask.py", kScript);
    plan["list"] = json::array({entry(1), entry(2), entry(3)});
    plan["items"] = json::object();
  }

  YtdlpSource source(double start = 20.0) {
    write_file(folder.path() / "plan.json", plan.dump());
    return {config, YtdlpChild(config, {}, 0.0, [] { return "python3"; }, folder.path() / "ask.py", {}, start)};
  }
  std::vector<std::string> jobs() {
    std::vector<std::string> lines;
    std::string text = read_file(folder.path() / "jobs", 1 << 20).value_or("");
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      lines.push_back(text.substr(at, end - at));
    }
    return lines;
  }
  static std::vector<std::string> ids(const Page& page) {
    std::vector<std::string> out;
    for (const auto& item : page.items) out.push_back(item.id + (item.failed ? "!" : item.url.empty() ? "?" : ""));
    return out;
  }
  PageRequest ask(const std::string& cursor = "", int want = 100) {
    return {.hashtag = "cats",
            .cursor = cursor,
            .want = want,
            .settled = [this](const std::string& site, const std::string& id) { return settled.contains(site + id); }};
  }

  TemporaryFolder folder;
  YtdlpConfig config;
  json plan;
  std::set<std::string> settled;
  CountingGate gate;
};

TEST_F(Ytdlp, ListsAndAsksForEach) {
  auto from = source();
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1", "2", "3"));
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->next, "");
  const auto& item = page->items[0];
  EXPECT_EQ(item.site, "tiktok");
  EXPECT_EQ(item.author, "ada");
  EXPECT_EQ(item.created, 7);
  EXPECT_EQ(item.url, "https://cdn.test/1");
  EXPECT_THAT(item.hashtags, ElementsAre("cute"));
  EXPECT_THAT(jobs(), ElementsAre("https://site.test/tag/cats@1",
                                  "https://site.test/1 https://site.test/2 "
                                  "https://site.test/3"));
  EXPECT_EQ(gate.entered, 4);  // one for the list, one for each video
}

TEST_F(Ytdlp, WhatIsSettledIsNotAskedFor) {
  settled = {"tiktok1", "tiktok3"};
  auto from = source();
  EXPECT_THAT(ids(*from.page(ask(), gate)), ElementsAre("1?", "2", "3?"));
  EXPECT_THAT(jobs(), ElementsAre("https://site.test/tag/cats@1", "https://site.test/2"));
}

TEST_F(Ytdlp, PagesAreBatchesOfOneList) {
  plan["list"] = json::array({entry(1), entry(2), entry(3), entry(4), entry(5)});
  config.batch = 2;
  config.list = 4;
  auto from = source();
  std::string cursor;
  std::vector<std::string> seen;
  for (int pages = 0; pages < 9; ++pages) {
    const auto page = from.page(ask(cursor), gate);
    ASSERT_TRUE(page);
    for (const auto& id : ids(*page)) seen.push_back(id);
    cursor = page->next;
    if (!page->more) break;
  }
  EXPECT_THAT(seen, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(jobs(), ElementsAre("https://site.test/tag/cats@1", "https://site.test/1 https://site.test/2",
                                  "https://site.test/3 https://site.test/4", "https://site.test/tag/cats@5",
                                  "https://site.test/5"));
}

TEST_F(Ytdlp, NoMoreAreAskedForThanAreWanted) {
  auto from = source();
  const auto page = from.page(ask("", 1), gate);
  EXPECT_THAT(ids(*page), ElementsAre("1"));
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next, "2");
  EXPECT_THAT(ids(*source().page(ask("2"), gate)), ElementsAre("2", "3"));  // in another run
}

TEST_F(Ytdlp, WhatEndsTheProcessCostsOneItem) {
  plan["items"]["https://site.test/2"] = "crash";
  auto from = source();
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1", "2!", "3"));
  EXPECT_EQ(page->items[1].failed, Outcome::unavailable);
  EXPECT_THAT(page->items[1].why, HasSubstr("status 3"));
  EXPECT_THAT(jobs(), ElementsAre(StartsWith("https://site.test/tag"), StartsWith("https://site.test/1"),
                                  "https://site.test/3"));
}

TEST_F(Ytdlp, AHangingProcessIsEnded) {
  plan["items"]["https://site.test/2"] = "hang";
  config.deadline = 0.1;
  auto from = source(1.0);
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1", "2!", "3"));
  EXPECT_THAT(page->items[1].why, HasSubstr("had not ended"));
}

TEST_F(Ytdlp, BrokenLinesCostOneItem) {
  plan["items"]["https://site.test/1"] = "junk";
  auto from = source();
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1!", "2", "3"));
}

TEST_F(Ytdlp, NothingIsAskedBehindAChallengePage) {
  plan["items"]["https://site.test/2"] = {{"error", {{"kind", "challenge"}, {"message", "a challenge page came"}}}};
  auto from = source();
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1", "2!"));
  EXPECT_EQ(page->items[1].failed, Outcome::blocked);
  EXPECT_FALSE(page->items[1].only_this);
  EXPECT_EQ(jobs().size(), 2U);
}

TEST_F(Ytdlp, TooFastEndsThePageAndIsNoFaultOfTheItem) {
  plan["items"]["https://site.test/2"] = {{"error", {{"kind", "other"}, {"status", 429}, {"message", "slow down"}}}};
  auto from = source();
  const auto page = from.page(ask(), gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1"));
  EXPECT_TRUE(page->more);
  const auto next = from.page(ask(page->next), gate);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, SourceError::rate_limited);
}

TEST_F(Ytdlp, AnAddressMayBeAVideoItself) {
  auto alone = entry(1);
  alone["info"] = {{"id", "1"}, {"site", "tiktok"}, {"url", "https://cdn.test/1"}};
  plan["list"] = json::array({alone});
  auto from = source();
  PageRequest one = ask();
  one.hashtag = "https://site.test/1";
  const auto page = from.page(one, gate);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(ids(*page), ElementsAre("1"));
  EXPECT_FALSE(page->more);
  EXPECT_THAT(jobs(), ElementsAre("https://site.test/1@1"));
  // A later collection requests only what is missing.
  one.cursor = page->next;
  settled = {"tiktok1"};
  EXPECT_THAT(ids(*from.page(one, gate)), ElementsAre("1?"));
  EXPECT_EQ(jobs().size(), 1U);
  settled.clear();
  EXPECT_THAT(ids(*source().page(one, gate)), ElementsAre("1"));
}

TEST_F(Ytdlp, ListsThatCannotBeHadAreFailures) {
  const auto failure = [&](json error) {
    plan["error"] = std::move(error);
    return source().page(ask(), gate).error();
  };
  EXPECT_EQ(failure({{"kind", "broken"}, {"message", "marked as broken"}}).kind, SourceError::not_listed);
  EXPECT_EQ(failure({{"kind", "setup"}, {"message", "no yt-dlp"}}).kind, SourceError::refused);
  EXPECT_EQ(failure({{"kind", "challenge"}, {"message", "x"}}).kind, SourceError::blocked);
  EXPECT_EQ(failure({{"kind", "other"}, {"status", 429}, {"message", "x"}}).kind, SourceError::rate_limited);
  EXPECT_EQ(failure({{"kind", "other"}, {"status", 503}, {"message", "x"}}).kind, SourceError::unavailable);
  EXPECT_THAT(failure({{"kind", "other"}, {"message", "a\x1b[31mred"}}).message, HasSubstr("a [31mred"));
}

TEST_F(Ytdlp, ANotYetInstalledPythonIsAFailure) {
  YtdlpSource from(config, YtdlpChild(config, {}, 0.0, [] { return "/nowhere/python"; }, folder.path() / "ask.py", {}));
  EXPECT_THAT(from.page(ask(), gate).error().message, HasSubstr("/nowhere/python"));
}

TEST_F(Ytdlp, ShowsWhatItWouldAsk) {
  PageRequest one = ask();
  one.hashtag = "caf\xC3\xA9 1";
  EXPECT_THAT(source().preview(one),
              ElementsAre(R"({"from":1,"method":"GET","url":"https://site.test/tag/caf%C3%A9%201"})"));
}

TEST_F(Ytdlp, AddressesComeFromTheConfigurationAndAFile) {
  const auto file = folder.path() / "urls.txt";
  write_file(file, "# profiles\n  https://b.test/@ada \r\n\nhttps://a.test/1\n");
  config.urls = {"https://a.test/1"};
  config.urls_file = file.string();
  EXPECT_THAT(ytdlp_addresses(config), ElementsAre("https://a.test/1", "https://b.test/@ada"));
  for (const char* bad : {"file:///etc/passwd", "ytsearch:cats", "--exec=x", "https://a.test/ b"}) {
    config.urls = {bad};
    EXPECT_THROW(ytdlp_addresses(config), Exception) << bad;
  }
  config.address = "https://a.test/";
  EXPECT_THROW(source(), Exception);
}

}  // namespace
}  // namespace reeltag::collect

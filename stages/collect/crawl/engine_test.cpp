// Tests the engine against all known misbehaviours of sources. Bytes are not fetched by HTTP here: they lie where an
// earlier run would have left them, so that fetching stored bytes again is detected.
#include "crawl/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "crashing_database.hpp"
#include "crawl/fake_source.hpp"
#include "crawl/test_clock.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/make_clips.hpp"
#include "reeltag/sql/sqlite.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::vector<std::string> kCats{"cats"}, kBoth{"cats", "dogs"};

// A home with a catalog, a store, and the files behind a source's links.
struct Home {
  TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> catalog = catalog::open((folder.path() / "catalog.db").string());
  std::unique_ptr<store::Store> store = store::open((folder.path() / "store").string());
  CollectConfig config;
  Policy policy{.terms = "t", .allowed_by = "a", .requests_per_minute = 60, .retention_days = 1};
  TestClock clock;
  std::vector<std::string> failures;

  Home() { config.backoff = 1.0; }

  void place(const std::string& id, const std::string& bytes) const {
    fs::create_directories(folder.path() / "collect/fake");
    std::ofstream(folder.path() / "collect/fake" / content_id(id), std::ios::binary) << bytes;
  }
  CollectReport run(FakeSource& source, std::span<const std::string> hashtags, catalog::Catalog* other = nullptr) {
    CollectOptions options{.home = folder.path(), .http = {}, .media = {}};
    options.media.isolate = "never";
    const OnFailure on_failure = [&](const std::string& item, const Error& error) {
      failures.push_back(item + " " + error.message.substr(0, error.message.find(':')));
    };
    return Engine(source, policy, config, options, other != nullptr ? *other : *catalog, *store, clock, on_failure)
        .run(hashtags);
  }
  HashtagReport cats(FakeSource& source) { return run(source, kCats).hashtags.at(0).second; }

  // Another connection to the catalog, which ends as the crash says.
  catalog::Catalog dying(const std::shared_ptr<test::Crash>& crash) const {
    auto sqlite = std::make_unique<sql::SqliteDatabase>(folder.path() / "catalog.db", std::chrono::seconds(10));
    catalog::Catalog opened(catalog::connect(std::make_unique<test::CrashingDatabase>(std::move(sqlite), crash)));
    crash->armed = true;
    return opened;
  }

  // All that a collection stores, except times.
  std::vector<std::string> content(const std::vector<std::string>& ids) const {
    std::vector<std::string> out;
    catalog->videos.each({}, [&](const catalog::Video& v) {
      std::string text = v.id + v.key + v.source_id + v.caption;
      for (const auto& h : v.hashtags) text += "#" + h;
      out.push_back(text);
    });
    for (const auto& id : ids) {
      const auto p = catalog->posts.get("site", id);
      out.push_back(p ? p->id + " " + p->outcome + " " + p->video : id + " unknown");
    }
    for (const auto& blob : store->list("")) out.push_back(blob.key);
    return out;
  }
};

Item item(const std::string& id, const std::string& url = "http://127.0.0.1:1/gone") {
  return {.id = id, .author = "alice" + id, .caption = "#Cats " + id, .hashtags = {"cats"}, .created = 1, .url = url};
}
Page page(std::vector<Item> items, const std::string& next = "", bool more = false) {
  return {.items = std::move(items), .next = next, .more = more};
}

class CollectTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    log::configure({.level = log::Level::off});
    const TemporaryFolder folder("clips");
    const make_clips::Options options{.classes = 3, .clips_per_class = 2, .seconds = 0.4, .width = 64, .height = 64};
    make_clips::write(options, folder.path());
    for (const auto& clip : make_clips::plan(options)) {
      bytes->push_back(*read_file(folder.path() / clip.file, 1 << 20));
    }
  }
  static std::vector<std::string>* bytes;
};
std::vector<std::string>* CollectTest::bytes = new std::vector<std::string>();

// One item of each outcome, on two pages.
FakeSource everything(const Home& home, const std::vector<std::string>& clips) {
  home.place("1", clips[0]);
  home.place("2", clips[1]);
  home.place("3", clips[0]);  // the bytes of 1
  home.place("4", "<html><body>Sign in</body></html>");
  home.place("5", clips[2].substr(0, clips[2].size() / 2));
  home.place("13", clips[3]);
  auto no_author = item("6"), no_date = item("7"), gone = item("8"), secret = item("9");
  no_author.author.clear();
  no_date.created.reset();
  gone.failed = Outcome::deleted;
  secret.failed = Outcome::private_video;
  auto odd = item("12");
  odd.caption = std::string("a\0b", 3);
  FakeSource source;
  source.pages[""] = {page({item("1"), item("2"), item("3"), item("4"), item("5"), no_author, no_date}, "two", true)};
  source.pages["two"] = {
      page({item("1"), gone, secret, item("10", ""), item(""), item("11"), odd, item("13")}, "later")};
  return source;
}
const std::vector<std::string> kIds{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"};

TEST_F(CollectTest, EveryItemEndsInOneOutcomeAndNoneStopsTheRun) {
  Home home;
  auto source = everything(home, *bytes);
  const auto report = home.cats(source);
  EXPECT_EQ(report.seen, 15);
  EXPECT_EQ(report.added, 4);  // three with bytes, one metadata-only
  EXPECT_EQ(report.duplicate, 2);
  EXPECT_EQ(report.failed, 9);
  EXPECT_EQ(report.ended, "exhausted");
  auto outcomes = report.outcomes;  // a truncated file is one or the other
  EXPECT_EQ(std::exchange(outcomes["not_a_video"], 0) + std::exchange(outcomes["decode_failed"], 0), 2);
  EXPECT_THAT(outcomes, UnorderedElementsAre(Pair("added", 3), Pair("metadata_only", 1), Pair("duplicate", 2),
                                             Pair("deleted", 1), Pair("private", 1), Pair("schema_changed", 4),
                                             Pair("unavailable", 1), Pair("not_a_video", 0), Pair("decode_failed", 0)));
  EXPECT_EQ(home.failures.size(), 9U);
  EXPECT_THAT(home.failures, Contains("#cats schema_changed"));  // the one without an id
  EXPECT_EQ(home.catalog->videos.count({}), 3);
  EXPECT_EQ(home.store->list("videos/").size(), 3U);
  for (const auto& [id, bytes_of] : {std::pair{"1", 0U}, {"13", 3U}}) {
    const auto post = home.catalog->posts.get("site", id);
    const auto video = home.catalog->videos.get(post->video);
    ASSERT_TRUE(video);
    EXPECT_EQ(home.store->get(video->key), (*bytes)[bytes_of]);
    EXPECT_EQ(video->author.size(), 64U);
    EXPECT_EQ(video->group, video->author);
    EXPECT_EQ(video->source, "fake");
  }
  EXPECT_EQ(home.catalog->posts.get("site", "3")->video, home.catalog->posts.get("site", "1")->video);
  EXPECT_EQ(home.catalog->posts.get("site", "10")->outcome, "metadata_only");
  EXPECT_EQ(fs::status(home.folder.path() / "author.salt").permissions(), static_cast<fs::perms>(0600));
  EXPECT_TRUE(fs::is_empty(home.folder.path() / "collect/fake"));  // no download is left
}

TEST_F(CollectTest, ASecondCollectionFetchesNothingThatWasStored) {
  Home home;
  auto source = everything(home, *bytes);
  home.cats(source);
  source.pages["later"] = source.pages[""];  // overlap of two collections
  const auto content = home.content(kIds);
  const auto report = home.cats(source);
  EXPECT_EQ(source.asked.at(2), "cats:later");
  EXPECT_EQ(report.added, 0);
  EXPECT_EQ(report.outcomes.at("duplicate"), 6);  // 1 twice, 2, 3, 10, 13
  EXPECT_EQ(home.content(kIds), content);
}

TEST_F(CollectTest, KilledAnywhereItEndsAsAnUndisturbedOne) {
  Home undisturbed;
  undisturbed.config.limit = 12;
  auto source = everything(undisturbed, *bytes);
  const auto want = to_json(undisturbed.run(source, kBoth));
  const auto content = undisturbed.content(kIds);
  bool killed = true;
  for (int step = 1; killed; ++step) {
    const bool after = step % 2 == 0;
    const int commit = (step + 1) / 2;
    Home home;
    home.config.limit = 12;
    auto again = everything(home, *bytes);
    auto dying = home.dying(std::make_shared<test::Crash>(test::Crash{.commit = commit, .after = after}));
    try {
      home.run(again, kBoth, &dying);
      killed = false;
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "killed");
    }
    if (!killed) break;
    again = everything(Home(), *bytes);  // the home's files stay as the kill left them
    // After the very last write the round is complete; running again would start another collection.
    const auto round = home.catalog->notes.get("collect/fake/round");
    if (round && round->find("true") == std::string::npos) continue;
    const auto report = home.run(again, kBoth);
    EXPECT_EQ(home.content(kIds), content) << commit << (after ? " after" : " before");
    EXPECT_EQ(to_json(report), want) << commit << (after ? " after" : " before");
  }
}

TEST_F(CollectTest, PagesThatRepeatOrAreEmptyForEverAreLeft) {
  for (const bool empty : {true, false}) {
    Home home;
    FakeSource source;
    const auto same = empty ? page({}, "", true) : page({item("1", ""), item("2", "")}, "", true);
    source.pages[""] = {same};
    const auto report = home.cats(source);
    EXPECT_EQ(report.ended, "repeats");
    EXPECT_TRUE(report.early());
    EXPECT_EQ(source.asked.size(), empty ? 5U : 6U);
    EXPECT_EQ(report.added, empty ? 0 : 2);
    EXPECT_EQ(report.duplicate, empty ? 0 : 10);
  }
}

TEST_F(CollectTest, AnEmptyPageWithMoreBehindItIsGoneThrough) {
  Home home;
  FakeSource source;
  source.pages[""] = {page({}, "2", true)};
  source.pages["2"] = {page({}, "3", true)};
  source.pages["3"] = {page({item("1", "")}, "4", true)};
  source.pages["4"] = {page({}, "end")};
  const auto report = home.cats(source);
  EXPECT_EQ(report.ended, "exhausted");
  EXPECT_EQ(report.seen, 1);
}

TEST_F(CollectTest, ASourceThatDoesNotAnswerIsAskedAgainMoreAndMoreSlowly) {
  Home home;
  FakeSource source;
  source.pages[""] = {source_error(SourceError::unavailable), source_error(SourceError::rate_limited, 30),
                      source_error(SourceError::unavailable), page({item("1", "")})};
  EXPECT_EQ(home.cats(source).added, 1);
  EXPECT_THAT(home.clock.slept, ElementsAre(1.0, 30.0, 4.0));
  source.pages[""] = {source_error(SourceError::unavailable)};
  source.asked.clear();
  const auto report = home.run(source, kBoth);
  EXPECT_EQ(report.hashtags[0].second.ended, "unavailable");
  EXPECT_EQ(report.hashtags[1].second.ended, "unavailable");
  EXPECT_EQ(source.asked.size(), 10U);
  source.pages[""] = {source_error(SourceError::rate_limited, 4000)};  // longer than the engine waits
  source.asked.clear();
  EXPECT_EQ(home.cats(source).ended, "rate_limited");
  EXPECT_EQ(source.asked.size(), 1U);
}

TEST_F(CollectTest, RequestsKeepToTheRate) {
  Home home;
  home.policy.requests_per_minute = 6;
  FakeSource source;
  for (int i = 0; i < 8; ++i) {
    source.pages[i == 0 ? "" : std::to_string(i)] = {page({item(std::to_string(i), "")}, std::to_string(i + 1), i < 7)};
  }
  const double before = home.clock.now();
  EXPECT_EQ(home.cats(source).added, 8);
  EXPECT_NEAR(home.clock.now() - before, 50, 1e-6);  // three at once, then one per 10 s
}

TEST_F(CollectTest, AChallengeStopsEverythingAndTheNextRunWaits) {
  Home home;
  FakeSource source;
  source.pages[""] = {source_error(SourceError::blocked), page({item("1", "")})};
  const auto report = home.run(source, kBoth);
  EXPECT_EQ(report.hashtags[0].second.ended, "blocked");
  EXPECT_EQ(report.hashtags[0].second.outcomes.at("blocked"), 1);
  EXPECT_EQ(report.hashtags[1].second.ended, "not_asked");
  EXPECT_EQ(source.asked.size(), 1U);
  try {
    home.run(source, kBoth);
    FAIL() << "asked again";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::unavailable);
    EXPECT_THAT(e.what(), HasSubstr("nothing is asked for 3600 s"));
  }
  EXPECT_EQ(source.asked.size(), 1U);
  home.clock.pass(3601);
  EXPECT_EQ(home.run(source, kBoth).hashtags[0].second.ended, "exhausted");
}

TEST_F(CollectTest, AChallengeInPlaceOfAVideoStopsTooAndTheItemIsNotLost) {
  Home home;
  FakeSource source;
  source.pages[""] = {page({item("1"), item("2")})};
  home.place("1", "<html><i id=cs class=e30=></i><i id=wci class=x></i></html>");
  EXPECT_EQ(home.cats(source).ended, "blocked");
  EXPECT_EQ(home.catalog->posts.get("site", "1"), std::nullopt);
  home.clock.pass(3601);
  home.place("1", (*bytes)[0]);
  home.place("2", (*bytes)[1]);
  EXPECT_EQ(home.cats(source).added, 2);
}

TEST_F(CollectTest, TheQuotaIsKeptAndBeginsAnewTheNextDay) {
  Home home;
  FakeSource source;
  source.daily = 3;
  for (int i = 0; i < 5; ++i) {
    source.pages[i == 0 ? "" : std::to_string(i)] = {page({item(std::to_string(i), "")}, std::to_string(i + 1), i < 4)};
  }
  auto report = home.cats(source);
  EXPECT_EQ(report.ended, "quota");
  EXPECT_EQ(report.added, 3);
  EXPECT_EQ(home.cats(source).ended, "quota");
  EXPECT_EQ(source.asked.size(), 3U);
  home.clock.pass(86'400);
  report = home.cats(source);
  EXPECT_EQ(report.ended, "exhausted");
  EXPECT_EQ(report.added, 5);  // of the whole collection, over both days
  home.clock.pass(86'400);
  source.pages["5"] = {source_error(SourceError::quota)};  // the source has counted more requests than the engine
  EXPECT_EQ(home.cats(source).ended, "quota");
  source.asked.clear();
  EXPECT_EQ(home.cats(source).ended, "quota");
  EXPECT_TRUE(source.asked.empty());
}

TEST_F(CollectTest, TheLimitIsOfNewItemsAndTheNextCollectionGoesOn) {
  Home home;
  home.config.limit = 2;
  FakeSource source;
  source.pages[""] = {page({item("1", ""), item("2", ""), item("3", "")}, "2", true)};
  source.pages["2"] = {page({item("4", "")}, "3")};
  auto report = home.cats(source);
  EXPECT_EQ(report.seen, 2);
  EXPECT_EQ(report.ended, "limit");
  report = home.cats(source);
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.duplicate, 2);
  EXPECT_EQ(home.catalog->posts.counts("site").at(0).second, 4);
}

TEST_F(CollectTest, RefusalsAndChangedFormsAndDeadlines) {
  Home home;
  FakeSource source;
  source.pages[""] = {source_error(SourceError::refused)};
  EXPECT_THROW(home.cats(source), Exception);
  source.pages[""] = {source_error(SourceError::schema_changed)};
  const auto report = home.run(source, kBoth);
  EXPECT_EQ(report.hashtags[1].second.ended, "schema_changed");
  EXPECT_EQ(report.hashtags[1].second.failed, 1);
  home.config.deadline = 100;
  source.pages[""] = {page({item("1", "")}, "x", true)};
  source.pages["x"] = {source_error(SourceError::rate_limited, 200)};
  EXPECT_EQ(home.cats(source).ended, "rate_limited");
  source.pages["x"] = {source_error(SourceError::rate_limited, 200), page({}, "y", true),
                       page({item("2", "")}, "y", true)};
  EXPECT_EQ(home.cats(source).ended, "deadline");
}

TEST_F(CollectTest, WhatIsForgottenIsNotTakenInAgain) {
  using catalog::Forgettable;
  Home home;
  home.place("1", (*bytes)[0]);
  home.place("2", (*bytes)[1]);
  home.place("3", (*bytes)[2]);
  home.place("4", (*bytes)[3]);
  home.catalog->tombstones.forget(Forgettable::post, "site:1");
  home.catalog->tombstones.forget(Forgettable::video, hex(sha256((*bytes)[1])));
  home.catalog->tombstones.forget(Forgettable::author, author_hash(home.folder.path() / "author.salt", "alice3"));
  FakeSource source;
  source.pages[""] = {page({item("1"), item("2"), item("3"), item("4")})};
  const auto report = home.cats(source);
  EXPECT_THAT(report.outcomes, testing::ElementsAre(Pair("added", 1), Pair("forgotten", 3)));
  EXPECT_EQ(report.duplicate, 3);
  EXPECT_EQ(report.seen, report.added + report.duplicate + report.failed);
  EXPECT_TRUE(home.failures.empty());
  EXPECT_EQ(home.catalog->videos.count({}), 1);
  EXPECT_EQ(home.store->list("").size(), 1U);
  for (const char* id : {"1", "2", "3"}) EXPECT_FALSE(home.catalog->posts.get("site", id)) << id;
  // The post of the forgotten bytes is known now: they are not fetched again.
  EXPECT_TRUE(home.catalog->tombstones.holds(Forgettable::post, "site:2"));
}

TEST_F(CollectTest, DownloadsOfWhatIsForgottenAreRemoved) {
  Home home;
  home.place("1", "whole");
  home.place("2", "other");
  const auto folder = home.folder.path() / "collect/fake";
  std::ofstream(folder / (download_name("3") + ".part")) << "begun";
  std::ofstream(folder / (download_name("3") + ".json")) << "{}";
  for (const char* id : {"1", "3"}) home.catalog->tombstones.forget(catalog::Forgettable::download, download_name(id));
  EXPECT_EQ(remove_downloads(home.folder.path(), home.catalog->tombstones.all()), 2);
  EXPECT_EQ(remove_downloads(home.folder.path(), home.catalog->tombstones.all()), 0);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre(download_name("2")));
  EXPECT_EQ(remove_downloads(home.folder.path() / "none", home.catalog->tombstones.all()), 0);
}

TEST_F(CollectTest, AListThatIsNotToBeHadEndsItsHashtagOnly) {
  Home home;
  FakeSource source;
  source.pages[""] = {source_error(SourceError::not_listed), page({item("1", "")})};
  const auto report = home.run(source, kBoth);
  EXPECT_EQ(report.hashtags[0].second.ended, "not_listed");
  EXPECT_TRUE(report.hashtags[0].second.early());
  EXPECT_EQ(report.hashtags[1].second.added, 1);
}

TEST_F(CollectTest, ItemsKeptFromUsStopARunOnlyInARow) {
  const auto kept = [](const std::string& id) {
    auto one = item(id);
    one.failed = Outcome::blocked;
    one.only_this = true;
    return one;
  };
  Home home;
  FakeSource source;
  source.pages[""] = {page({kept("1"), kept("2"), item("3", ""), kept("4"), kept("5")})};
  auto report = home.cats(source);
  EXPECT_EQ(report.ended, "exhausted");
  EXPECT_EQ(report.outcomes.at("blocked"), 4);
  EXPECT_EQ(home.catalog->posts.get("site", "1")->outcome, "blocked");
  source.pages[""] = {page({kept("6"), kept("7"), kept("8"), item("9", "")})};
  report = home.cats(source);
  EXPECT_EQ(report.ended, "blocked");
  EXPECT_EQ(report.seen, 3);
  EXPECT_THROW(home.cats(source), Exception);  // cooling down
}

TEST_F(CollectTest, AnAddressIsNoHashtagAndSitesMayTellLess) {
  Home home;
  auto bare = item("1");
  bare.author.clear();
  bare.created.reset();
  bare.site = "elsewhere";
  bare.anonymous = true;
  auto lacking = bare;
  lacking.anonymous = false;
  lacking.id = "2";
  home.place("elsewhere/1", (*bytes)[0]);
  FakeSource source;
  source.pages[""] = {page({bare, lacking})};
  const std::vector<std::string> address{"https://elsewhere.test/list"};
  const auto report = home.run(source, address).hashtags.at(0).second;
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(report.outcomes.at("schema_changed"), 1);
  const auto post = home.catalog->posts.get("elsewhere", "1");
  ASSERT_TRUE(post);
  const auto video = home.catalog->videos.get(post->video);
  EXPECT_THAT(video->hashtags, ElementsAre("cats"));
  EXPECT_EQ(video->group, video->id);
  EXPECT_TRUE(fs::is_empty(home.folder.path() / "collect/fake"));
}

TEST_F(CollectTest, ASourceLearnsWhatIsSettled) {
  Home home;
  home.place("1", (*bytes)[0]);
  auto gone = item("2"), late = item("3");
  gone.failed = Outcome::deleted;
  late.failed = Outcome::unavailable;
  FakeSource source;
  source.pages[""] = {page({item("1"), gone, late, item("4", "")})};
  home.cats(source);
  source.known.clear();
  source.ids = {"1", "2", "3", "4", "5"};
  home.cats(source);
  EXPECT_THAT(source.known, ElementsAre("1", "2"));  // retries temporary failures and available bytes
}

}  // namespace
}  // namespace reeltag::collect

#include "crawl/journal.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag::collect {
namespace {

class JournalTest : public testing::Test {
 protected:
  // The journal as a new process opens it.
  Journal journal(const std::string& scope = "s") { return {catalog_->notes, "fake", scope}; }

  TemporaryFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::open((folder_.path() / "c.db").string());
};

const std::vector<std::string> kCats{"cats"}, kBoth{"cats", "dogs"}, kTurned{"dogs", "cats"};

TEST_F(JournalTest, AnOpenRoundIsGoneOnWithAndAClosedOneIsNot) {
  auto first = journal();
  first.open_round(kBoth, 10);
  auto again = journal();
  again.open_round(kTurned, 10);
  EXPECT_EQ(again.round(), first.round());
  again.close_round();
  auto next = journal();
  next.open_round(kBoth, 10);
  EXPECT_EQ(next.round(), first.round() + 1);
  auto other = journal();
  other.open_round(kCats, 10);
  EXPECT_EQ(other.round(), first.round() + 2);
  auto larger = journal();
  larger.open_round(kCats, 11);
  EXPECT_EQ(larger.round(), first.round() + 3);
}

TEST_F(JournalTest, WhereAHashtagStandsSurvives) {
  auto first = journal();
  first.open_round(kCats, 10);
  HashtagCursor at = first.cursor_of("cats");
  EXPECT_FALSE(at.done);
  at.cursor = "page 2";
  at.at = 3;
  at.tried = 8;
  at.report.seen = 9;
  at.report.outcomes["deleted"] = 2;
  first.save("cats", at);
  auto second = journal();
  second.open_round(kCats, 10);
  at = second.cursor_of("cats");
  EXPECT_EQ(at.cursor, "page 2");
  EXPECT_EQ(at.start, "");
  EXPECT_EQ(at.at, 3);
  EXPECT_EQ(at.tried, 8);
  EXPECT_EQ(at.report.seen, 9);
  EXPECT_EQ(at.report.outcomes.at("deleted"), 2);
  second.close_round();
  auto third = journal();
  third.open_round(kCats, 10);
  at = third.cursor_of("cats");
  EXPECT_EQ(at.cursor, "page 2");
  EXPECT_EQ(at.start, "page 2");
  EXPECT_EQ(at.at, 0);
  EXPECT_EQ(at.report.seen, 0);
  auto elsewhere = journal("another scope");
  elsewhere.open_round(kCats, 10);
  EXPECT_EQ(elsewhere.cursor_of("cats").cursor, "");
}

TEST_F(JournalTest, TheLedgerIsOfADay) {
  auto j = journal();
  EXPECT_EQ(j.requests("2026-11-26"), 0);
  j.set_requests("2026-11-26", 5);
  EXPECT_EQ(journal().requests("2026-11-26"), 5);
  EXPECT_EQ(j.requests("2026-11-27"), 0);
}

TEST_F(JournalTest, CoolDownsDoubleUntilItIsCalm) {
  auto j = journal();
  EXPECT_EQ(j.cooling_until(), 0);
  j.cool_down(1000, 60);
  EXPECT_EQ(journal().cooling_until(), 1060);
  j.cool_down(2000, 60);
  EXPECT_EQ(j.cooling_until(), 2120);
  for (int i = 0; i < 40; ++i) j.cool_down(0, 60);
  EXPECT_EQ(j.cooling_until(), 86'400);
  j.calm();
  EXPECT_EQ(j.cooling_until(), 0);
  j.cool_down(0, 60);
  EXPECT_EQ(j.cooling_until(), 60);
}

TEST_F(JournalTest, ANoteThatCannotBeReadIsAsGoodAsNone) {
  catalog_->notes.put({"collect/fake/round", "[]"});
  catalog_->notes.put({"collect/fake/requests", "no"});
  auto j = journal();
  j.open_round(kCats, 1);
  EXPECT_EQ(j.round(), 1);
  EXPECT_EQ(j.requests("d"), 0);
}

TEST_F(JournalTest, CollectedHashtagsAreCountedBySource) {
  for (const auto& [id, source] : std::vector<std::pair<char, std::string>>{{'1', "fake"}, {'2', "import"}}) {
    catalog::Video video;
    video.id = std::string(64, id);
    video.key = "videos/" + video.id;
    video.source = source;
    video.hashtags = {"Cats"};
    catalog_->videos.add(video);
  }
  auto journal = this->journal("");
  journal.open_round(kBoth, 5);
  auto cursor = journal.cursor_of("cats");
  cursor.report.ended = "limit";
  journal.save("cats", cursor);
  EXPECT_EQ(collected_hashtags(*catalog_), (std::vector<CollectedHashtag>{{"fake", "cats", "limit", 1}}));
}

}  // namespace
}  // namespace reeltag::collect

#include "history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reeltag/base/file.hpp"

namespace reeltag::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

Change moved(Act act, std::int64_t version, std::int64_t from) {
  return {.act = act, .version = version, .alias = "champion", .from = from, .by = "me"};
}

class History : public ::testing::Test {
 protected:
  void add(const Change& change) { append(folder.path(), changes, change); }
  std::string text() { return *read_file(history_file(folder.path()), 1 << 20); }
  std::string error_of(const std::string& content) {
    write_file(history_file(folder.path()), content);
    try {
      named_by_aliases(read_history(folder.path()));
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::corrupt);
      return e.what();
    }
    return "was read";
  }

  TemporaryFolder folder;
  std::vector<Change> changes;
};

TEST_F(History, GivesBackWhatWasAdded) {
  add({.act = Act::publish, .version = 1, .by = "me", .at = "2026-11-26T00:00:00Z", .why = "w", .record = "abc"});
  add({.act = Act::evaluate, .version = 1, .by = "me", .figures = R"({"top1":0.5})"});
  add(moved(Act::promote, 1, 0));
  add({.act = Act::remove, .version = 2, .by = "caf\xC3\xA9 \"\n\xFF", .why = "x"});
  const auto back = read_history(folder.path());
  ASSERT_THAT(back, SizeIs(4));
  EXPECT_EQ(back[0].record, "abc");
  EXPECT_EQ(back[0].at, "2026-11-26T00:00:00Z");
  EXPECT_EQ(back[1].figures, R"({"top1":0.5})");
  EXPECT_EQ(back[2].alias, "champion");
  EXPECT_EQ(back[3].by, "caf\xC3\xA9 \"\n\xEF\xBF\xBD");
  EXPECT_EQ(back[3].number, 4);
  EXPECT_THAT(removed_versions(back), ElementsAre(2));
}

TEST_F(History, OnlyGrows) {
  std::string before;
  for (int i = 1; i <= 20; ++i) {
    add(moved(Act::promote, i, i - 1));
    const std::string now = text();
    EXPECT_TRUE(now.starts_with(before));
    EXPECT_EQ(std::count(now.begin(), now.end(), '\n'), i);
    before = now;
    changes = read_history(folder.path());
  }
}

TEST_F(History, WithoutAFileNothingHappened) { EXPECT_THAT(read_history(folder.path() / "none"), IsEmpty()); }

TEST_F(History, AliasesFollowFromIt) {
  for (const auto& change : {moved(Act::promote, 1, 0), moved(Act::promote, 2, 1), moved(Act::promote, 3, 2),
                             moved(Act::rollback, 1, 3), moved(Act::promote, 2, 1)})
    add(change);
  EXPECT_THAT(named_by_aliases(changes), ElementsAre(Pair("champion", ElementsAre(1, 2))));
}

TEST_F(History, AHoleOrALineThatIsNoneIsNamed) {
  add(moved(Act::promote, 1, 0));
  add(moved(Act::promote, 2, 1));
  const std::string good = text();
  const std::string second = good.substr(good.find('\n') + 1);
  EXPECT_EQ(error_of(good), "was read");
  EXPECT_THAT(error_of(second), HasSubstr("history.jsonl:1: says that it is line 2"));
  EXPECT_THAT(error_of(good + second), HasSubstr("history.jsonl:3"));
  EXPECT_THAT(error_of(good.substr(0, good.size() - 9)), HasSubstr("history.jsonl:2"));
  EXPECT_THAT(error_of(good + "\n"), HasSubstr("history.jsonl:3"));
  EXPECT_THAT(error_of(good + "[]\n"), HasSubstr("history.jsonl:3"));
  EXPECT_THAT(error_of(good + R"({"n":3,"act":"bless","version":1,"by":"","at":""})"), HasSubstr("bless"));
  EXPECT_THAT(error_of(good + R"({"n":3,"act":"rollback","version":7,"alias":"champion","from":2,"by":"","at":""})"),
              HasSubstr("line 3"));
  EXPECT_THAT(error_of(R"({"n":1,"act":"rollback","version":7,"alias":"x","from":2,"by":"","at":""})"),
              HasSubstr("line 1"));
}

}  // namespace
}  // namespace reeltag::registry

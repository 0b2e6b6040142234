#include "reeltag/base/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "reeltag/base/file.hpp"

namespace reeltag {
namespace {

using nlohmann::json;

TEST(ParseJson, GivesTheValueOrSaysWhere) {
  EXPECT_EQ(parse_json(R"({"a":[1,2]})", "x").value()["a"][1], 2);
  const auto bad = parse_json("{\"a\":\n oops}", "manifest.json");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::invalid_argument);
  EXPECT_EQ(bad.error().message.find("manifest.json: not JSON: parse error at line 2"), 0U) << bad.error().message;
  EXPECT_FALSE(parse_json("", "x"));
  EXPECT_FALSE(parse_json("{} {}", "x"));
}

TEST(ParseJson, BoundsTheDepth) {
  const auto nested = [](int n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(parse_json(nested(100), "x"));
  EXPECT_FALSE(parse_json(nested(101), "x"));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '['), "x"));
  const auto brackets = std::string(1000, '[');
  EXPECT_TRUE(
      parse_json(std::string("\"").append(brackets).append("\\\"[\""), "x"));  // brackets in a string are not nesting
}

TEST(DumpJson, ReplacesInvalidUtf8) {
  EXPECT_EQ(dump_json(json{{"a", "\xff"}}), "{\"a\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(dump_json(json{{"a", "x\ny"}}), R"({"a":"x\ny"})");
}

struct Seen {
  std::vector<std::pair<std::int64_t, std::string>> good;
  std::vector<std::pair<std::int64_t, Error>> bad;
};

Seen read_lines(const std::string& text, std::int64_t max_line = 1 << 20) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.jsonl";
  write_file(path, text);
  Seen seen;
  const auto read = each_json_line(
      path,
      [&](std::int64_t line, Result<json>&& row) {
        if (row) {
          seen.good.emplace_back(line, row->dump());
        } else {
          seen.bad.emplace_back(line, row.error());
        }
      },
      max_line);
  EXPECT_TRUE(read);
  return seen;
}

TEST(EachJsonLine, ABadLineIsReportedAndTheRestIsRead) {
  const auto seen = read_lines("\xEF\xBB\xBF{\"a\":1}\r\n\n{oops\n[2]\n  \n3");
  ASSERT_EQ(seen.good.size(), 3U);
  EXPECT_EQ(seen.good[0], std::pair(std::int64_t{1}, std::string("{\"a\":1}")));
  EXPECT_EQ(seen.good[1], std::pair(std::int64_t{4}, std::string("[2]")));
  EXPECT_EQ(seen.good[2], std::pair(std::int64_t{6}, std::string("3")));
  ASSERT_EQ(seen.bad.size(), 1U);
  EXPECT_EQ(seen.bad[0].first, 3);
  EXPECT_NE(seen.bad[0].second.message.find("m.jsonl:3: not JSON"), std::string::npos);
}

TEST(EachJsonLine, ALineOverTheLimitIsReportedAndTheRestIsRead) {
  const auto seen = read_lines("[1]\n\"" + std::string(100, 'x') + "\"\n\"12345678\"\n", 10);
  ASSERT_EQ(seen.good.size(), 2U);
  EXPECT_EQ(seen.good[1].first, 3);
  ASSERT_EQ(seen.bad.size(), 1U);
  EXPECT_EQ(seen.bad[0].second.code, Code::too_large);
}

TEST(EachJsonLine, FailsWhenTheFileCannotBeRead) {
  const auto never = [](std::int64_t, Result<json>&&) { ADD_FAILURE(); };
  EXPECT_EQ(each_json_line("/no/such.jsonl", never).error().code, Code::not_found);
  EXPECT_FALSE(each_json_line("/tmp", never));
  EXPECT_TRUE(each_json_line("/dev/null", never));
}

TEST(Rounded, KeepsThatManyDecimals) {
  EXPECT_EQ(rounded(1.23456, 4), 1.2346);
  EXPECT_EQ(rounded(0.3333, 0), 0.0);
  EXPECT_EQ(rounded(-2.0006, 3), -2.001);
}

TEST(Json, TextOrEmptyTakesTextsAndWholeNumbers) {
  const auto object = nlohmann::json::parse(R"({"text":"a","number":12,"real":1.5,"list":[],"none":null})");
  EXPECT_EQ(text_or_empty(object, "text"), "a");
  EXPECT_EQ(text_or_empty(object, "number"), "12");
  for (const char* key : {"real", "list", "none", "missing"}) EXPECT_EQ(text_or_empty(object, key), "") << key;
  EXPECT_EQ(text_or_empty(nlohmann::json::array(), "text"), "");
}

}  // namespace
}  // namespace reeltag

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reeltag/index.hpp"

namespace reeltag::index {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Result<TagLine> line(const std::string& text) { return tag_line(json::parse(text), "t.jsonl:3"); }

TEST(TagLines, AreWhatTagWrites) {
  const auto parsed = line(
      R"({"video":"a.mp4","model":"m","duration":3.0,"tags":[{"hashtag":"cat","score":0.5,"segments":[[0.0,2.0]]}]})");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const Prediction want{.video = "a.mp4", .model = {.name = "m"}, .tags = {{"cat", 0.5, {{0, 2}}}}};
  EXPECT_EQ(parsed->prediction, want);
  EXPECT_EQ(parsed->texts, std::nullopt);
}

TEST(TagLines, MayBeUnsureOrHaveTexts) {
  const auto unsure = line(R"({"video":"a.mp4","model":"m","tags":[],"unsure":true})");
  ASSERT_TRUE(unsure.has_value());
  EXPECT_TRUE(unsure->prediction.tags.empty());
  const auto texts = line(R"({"video":"a.mp4","model":"m","tags":[],"caption":"C","hashtags":["X","y"]})");
  ASSERT_TRUE(texts.has_value());
  EXPECT_EQ(texts->texts, (Texts{.video = "a.mp4", .caption = "C", .typed = {"X", "y"}}));
}

TEST(TagLines, ThatAreWrongAreNamedWithTheReason) {
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "object"},
           {R"({"model":"m","tags":[]})", "video"},
           {R"({"video":"","model":"m","tags":[]})", "empty"},
           {R"({"video":"a\u0000","model":"m","tags":[]})", "NUL"},
           {R"({"video":"a","tags":[]})", "model"},
           {R"({"video":"a","model":"m"})", "tags"},
           {R"({"video":"a","model":"m","tags":[1]})", "tag"},
           {R"({"video":"a","model":"m","tags":[{"hashtag":"c"}]})", "score"},
           {R"({"video":"a","model":"m","tags":[{"hashtag":"c","score":1.5}]})", "score"},
           {R"({"video":"a","model":"m","tags":[{"hashtag":"c","score":1,"segments":[[1]]}]})", "segment"},
           {R"({"video":"a","model":"m","tags":[{"hashtag":"c","score":1,"segments":[[2,1]]}]})", "segment"},
           {R"({"video":"a","model":"m","tags":[],"caption":1})", "caption"},
           {R"({"video":"a","model":"m","tags":[],"hashtags":[1]})", "hashtags"}}) {
    const auto parsed = line(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
    EXPECT_THAT(parsed.error().message, testing::AllOf(HasSubstr("t.jsonl:3"), HasSubstr(reason)));
  }
}

TEST(SearchJson, HasTheContractsFields) {
  Hit hit;
  hit.video = "a.mp4";
  hit.score = 1.23456;
  hit.why = {Why::caption, Why::predicted};
  hit.segments = {{0, 1.5}};
  const auto text = to_json("say \"x\"\xFF", std::vector{hit});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto j = json::parse(text);
  EXPECT_EQ(j["query"], "say \"x\"\uFFFD");
  EXPECT_EQ(j["results"], json::parse(R"([{"video":"a.mp4","score":1.2346,"why":["caption","predicted"],
                                          "segments":[[0.0,1.5]]}])"));
  EXPECT_EQ(to_json("q", {}), R"({"query":"q","results":[]})");
}

}  // namespace
}  // namespace reeltag::index

#include "api/replies.hpp"

#include <gtest/gtest.h>

namespace reeltag::serve {
namespace {

using http::server::Request;

tag::TagResult tagged() {
  return {.video = "v",
          .model = "m",
          .duration = 4.0,
          .tags = {{"cat", 0.9, {{0.0, 2.0}}, 0.5}, {"dog", 0.6, {}, 0.7}, {"sea", 0.2, {{1.0, 4.0}}, 0.1}},
          .views = 3,
          .partial = true};
}

std::vector<std::string> names(const Json& tags) {
  std::vector<std::string> out;
  for (const auto& tag : tags) out.push_back(tag["hashtag"].get<std::string>());
  return out;
}

TEST(Tags, AreShownByTheModelsThresholdsOrTheAskersOwn) {
  const auto kept = tagging_text(tagged());
  const auto sure = tags_json("id", kept, 10, std::nullopt);
  EXPECT_EQ(names(sure["tags"]), (std::vector<std::string>{"cat", "sea"}));
  EXPECT_EQ(sure["video"], "id");
  EXPECT_EQ(sure["views"], 3);
  EXPECT_TRUE(sure["partial"].get<bool>());
  EXPECT_FALSE(sure.contains("unsure"));
  EXPECT_EQ(sure["tags"][0]["segments"], Json::parse("[[0.0,2.0]]"));
  EXPECT_EQ(names(tags_json("id", kept, 10, 0.0)["tags"]), (std::vector<std::string>{"cat", "dog", "sea"}));
  EXPECT_EQ(names(tags_json("id", kept, 2, 0.0)["tags"]), (std::vector<std::string>{"cat", "dog"}));
  const auto none = tags_json("id", kept, 10, 0.95);
  EXPECT_TRUE(none["unsure"].get<bool>());
  EXPECT_TRUE(none["tags"].empty());
  EXPECT_EQ(names(none["guesses"]), (std::vector<std::string>{"cat", "dog", "sea"}));
  EXPECT_THROW(tags_json("id", "no json", 10, 0.0), Exception);
}

TEST(JobReply, SaysWhatItsStateCallsFor) {
  catalog::Job job{.id = "j", .state = catalog::JobState::queued, .name = "\xff.mp4"};
  const auto queued = job_json(job, 4);
  EXPECT_EQ(queued["ahead"], 4);
  EXPECT_FALSE(queued.contains("error"));
  job.state = catalog::JobState::failed;
  job.error_code = "not_a_video";
  job.error_message = "no";
  const auto failed = job_json(job, 0);
  EXPECT_EQ(failed["error"]["code"], "not_a_video");
  EXPECT_EQ(failed["error"]["status"], 422);
  EXPECT_FALSE(failed.contains("ahead"));
}

TEST(Query, NumbersAreWholeAndWithinBounds) {
  const auto number = [](const std::string& text) {
    return query_number(Request{.query = {{"n", text}}}, "n", 1, 200, 50);
  };
  EXPECT_EQ(number("7").value(), 7);
  EXPECT_EQ(query_number(Request{}, "n", 1, 200, 50).value(), 50);
  for (const char* wrong : {"", "0", "201", "-1", "7.0", "7x", " 7", "99999999999999999999"})
    EXPECT_FALSE(number(wrong)) << wrong;
  const auto real = [](const std::string& text) { return query_real(Request{.query = {{"n", text}}}, "n", 0, 1); };
  EXPECT_EQ(real("0.25").value(), 0.25);
  EXPECT_EQ(query_real(Request{}, "n", 0, 1).value(), std::nullopt);
  for (const char* wrong : {"", "1.01", "-0.1", "nan", "inf", "0,5"}) EXPECT_FALSE(real(wrong)) << wrong;
}

TEST(Body, MustBeAJsonObject) {
  const auto status = [](const std::string& type, const std::string& body) {
    const auto out = body_object(Request{.headers = {{"content-type", type}}, .body = body});
    const auto* refusal = std::get_if<http::server::Response>(&out);
    return refusal == nullptr ? 200 : refusal->status;
  };
  EXPECT_EQ(status("application/json; charset=utf-8", "{}"), 200);
  EXPECT_EQ(status("text/plain", "{}"), 415);
  EXPECT_EQ(status("application/json", "{"), 400);
  EXPECT_EQ(status("application/json", "[]"), 422);
}

TEST(CleanLine, IsShortValidAndOneLine) {
  EXPECT_EQ(clean_line("a\r\nb\x7F.mp4", 100), "ab.mp4");
  EXPECT_EQ(clean_line("\xff", 100), "\xEF\xBF\xBD");
  EXPECT_EQ(clean_line("aé", 2), "a");
  EXPECT_EQ(clean_line("aé", 3), "aé");
}

}  // namespace
}  // namespace reeltag::serve

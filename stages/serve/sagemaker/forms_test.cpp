#include "forms.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "answer.hpp"

namespace reeltag::serve::sagemaker {
namespace {

TEST(Content, IsToldByTheMediaType) {
  for (const char* type : {"video/mp4", "Video/MP4; codecs=avc1", "video/quicktime", "application/octet-stream", ""})
    EXPECT_EQ(content_of(type), Content::video) << type;
  EXPECT_EQ(content_of("application/json; charset=utf-8"), Content::json);
  EXPECT_EQ(content_of("application/jsonlines"), Content::json_lines);
  for (const char* type : {"text/csv", "image/png", "json", "application/x-www-form-urlencoded"})
    EXPECT_FALSE(content_of(type)) << type;
}

TEST(Accept, IsAskedInTheOrderOfItsQuality) {
  EXPECT_EQ(form_of("", Form::csv), Form::csv);
  EXPECT_EQ(form_of("*/*", Form::json_lines), Form::json_lines);
  EXPECT_EQ(form_of("text/csv;q=0.5, application/json;q=0.4", Form::json), Form::csv);
  EXPECT_EQ(form_of("text/*", Form::json), Form::csv);
  EXPECT_EQ(form_of("application/jsonlines, */*;q=0.1", Form::json), Form::json_lines);
  EXPECT_EQ(form_of("application/json;q=0, */*", Form::json), Form::json_lines);
  EXPECT_FALSE(form_of("image/png", Form::json));
  EXPECT_FALSE(form_of("application/json;q=0", Form::json));
}

std::vector<Found> found() {
  tag::Tagged tagged{.video = "a,\"b\"", .model = "m", .duration = 1.5, .tags = {{"cats", 0.75, {{0, 1}}, 0.5}}};
  tagged.hurried = true;
  return {{"a,\"b\"", tagged}, {"c\nd", fail(Code::not_a_video, "no video")}};
}

TEST(Answer, OfManyInEachForm) {
  const auto json = nlohmann::json::parse(text_of(found(), true, Form::json));
  ASSERT_EQ(json["predictions"].size(), 2U);
  EXPECT_EQ(json["predictions"][0]["tags"][0]["hashtag"], "cats");
  EXPECT_EQ(json["predictions"][0]["hurried"], true);
  EXPECT_EQ(json["predictions"][1]["error"]["code"], "not_a_video");
  const auto lines = text_of(found(), true, Form::json_lines);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(nlohmann::json::parse(lines.substr(0, lines.find('\n')))["video"], "a,\"b\"");
  EXPECT_EQ(text_of(found(), true, Form::csv), "\"a,\"\"b\"\"\",ok,1.5,cats,0.75\nc d,not_a_video,\n");
}

TEST(Answer, OfOneIsItsObject) {
  const auto json = nlohmann::json::parse(text_of({found().front()}, false, Form::json));
  EXPECT_EQ(json["model"], "m");
}

}  // namespace
}  // namespace reeltag::serve::sagemaker

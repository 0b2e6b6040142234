#include "media_type.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "response.hpp"

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
  EXPECT_EQ(accepted_media_type("", MediaType::csv), MediaType::csv);
  EXPECT_EQ(accepted_media_type("*/*", MediaType::json_lines), MediaType::json_lines);
  EXPECT_EQ(accepted_media_type("text/csv;q=0.5, application/json;q=0.4", MediaType::json), MediaType::csv);
  EXPECT_EQ(accepted_media_type("text/*", MediaType::json), MediaType::csv);
  EXPECT_EQ(accepted_media_type("application/jsonlines, */*;q=0.1", MediaType::json), MediaType::json_lines);
  EXPECT_EQ(accepted_media_type("application/json;q=0, */*", MediaType::json), MediaType::json_lines);
  EXPECT_FALSE(accepted_media_type("image/png", MediaType::json));
  EXPECT_FALSE(accepted_media_type("application/json;q=0", MediaType::json));
}

std::vector<VideoResult> found() {
  tag::TagResult tagged{.video = "a,\"b\"", .model = "m", .duration = 1.5, .tags = {{"cats", 0.75, {{0, 1}}, 0.5}}};
  tagged.partial = true;
  return {{"a,\"b\"", tagged}, {"c\nd", fail(Code::not_a_video, "no video")}};
}

TEST(Answer, OfManyInEachForm) {
  const auto json = nlohmann::json::parse(text_of(found(), true, MediaType::json));
  ASSERT_EQ(json["predictions"].size(), 2U);
  EXPECT_EQ(json["predictions"][0]["tags"][0]["hashtag"], "cats");
  EXPECT_EQ(json["predictions"][0]["partial"], true);
  EXPECT_EQ(json["predictions"][1]["error"]["code"], "not_a_video");
  const auto lines = text_of(found(), true, MediaType::json_lines);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(nlohmann::json::parse(lines.substr(0, lines.find('\n')))["video"], "a,\"b\"");
  EXPECT_EQ(text_of(found(), true, MediaType::csv), "\"a,\"\"b\"\"\",ok,1.5,cats,0.75\nc d,not_a_video,\n");
}

TEST(Answer, OfOneIsItsObject) {
  const auto json = nlohmann::json::parse(text_of({found().front()}, false, MediaType::json));
  EXPECT_EQ(json["model"], "m");
}

}  // namespace
}  // namespace reeltag::serve::sagemaker

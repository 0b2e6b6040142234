#include "reeltag/http/header_value.hpp"

#include <gtest/gtest.h>

namespace reeltag::http {
namespace {

TEST(HeaderValue, HasParameters) {
  const auto value = parse_header_value(" Form-Data ; NAME=\"a;b\\\"\" ; flag; x = y ");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->value, "form-data");
  EXPECT_EQ(*value->find("name"), "a;b\"");
  EXPECT_EQ(*value->find("x"), "y");
  EXPECT_EQ(value->find("flag"), nullptr);
  EXPECT_FALSE(parse_header_value("a; b=\"open"));
  EXPECT_FALSE(parse_header_value("a; b=1; B=2"));
}

TEST(HeaderValue, NamesOfFilesHaveNoFolders) {
  EXPECT_EQ(file_name_of("attachment; filename=\"C:\\my\\dance.mp4\""), "dance.mp4");
  EXPECT_EQ(file_name_of("attachment; filename=../../etc/passwd"), "passwd");
  EXPECT_EQ(file_name_of("attachment; filename=\"a.mp4\"; filename*=UTF-8'de'%C3%A4.mp4"), "\xC3\xA4.mp4");
  EXPECT_EQ(file_name_of("attachment; filename*=utf-8''%2e%2e%2Fb.mp4"), "b.mp4");
  EXPECT_EQ(file_name_of("attachment; filename=a.mp4; filename*=utf-8''%zz"), "a.mp4");
  EXPECT_EQ(file_name_of("attachment; filename=a.mp4; filename*=koi8-r''b.mp4"), "a.mp4");
  EXPECT_EQ(file_name_of("attachment"), "");
  EXPECT_EQ(file_name_of("attachment; filename=\"open"), "");
}

}  // namespace
}  // namespace reeltag::http

#include "metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checksum.hpp"
#include "upload_record.hpp"

namespace reeltag::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(UploadMetadata, IsPairs) {
  EXPECT_THAT(parse_metadata("").value(), ElementsAre());
  EXPECT_THAT(parse_metadata("filename ZGFuY2UubXA0,private, a  Zm8= ").value(),
              ElementsAre(Pair("a", "fo"), Pair("filename", "dance.mp4"), Pair("private", "")));
  // Omits values that are not text; removes control characters.
  EXPECT_THAT(parse_metadata("a //79,b YQpi").value(), ElementsAre(Pair("b", "ab")));
  for (const char* wrong : {",", "a,", "a Zg==,a Zg==", "a Zg", "a Zg== Zg==", "a,,b", "a //79,a Zg=="})
    EXPECT_FALSE(parse_metadata(wrong)) << wrong;
}

TEST(UploadMetadata, SizesAreDigits) {
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("007"), 7);
  EXPECT_EQ(parse_size("1000000000000000"), 1'000'000'000'000'000);
  for (const char* wrong :
       {"", " 1", "+1", "-1", "1.0", "1e3", "0x1", "1, 1", "1000000000000001", "99999999999999999999"})
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
}

TEST(UploadMetadata, NamesAreForReading) {
  EXPECT_EQ(display_name("../../etc/pass\nwd"), "passwd");
  EXPECT_EQ(display_name("C:\\videos\\\xC3\xA4.mp4"), "\xC3\xA4.mp4");
  EXPECT_EQ(display_name("\xFF.mp4"), "");
  std::string umlauts = "x";
  for (int i = 0; i < 200; ++i) umlauts += "\xC3\xA4";
  EXPECT_EQ(display_name(umlauts), umlauts.substr(0, 255));
  EXPECT_EQ(display_name(umlauts.substr(1)), umlauts.substr(1, 254));
  EXPECT_EQ(display_name(""), "");
}

TEST(UploadMetadata, TypesAreOfVideos) {
  EXPECT_EQ(accepted_type("").value(), "");
  EXPECT_EQ(accepted_type("Video/WebM; codecs=\"vp9, opus\"").value(), "video/webm");
  EXPECT_EQ(accepted_type("image/gif").value(), "image/gif");
  EXPECT_EQ(accepted_type("application/octet-stream").value(), "application/octet-stream");
  for (const char* type : {"application/mp4", "Application/MXF", "image/apng", "application/x-matroska"})
    EXPECT_TRUE(accepted_type(type)) << type;
  for (const char* wrong :
       {"image/png", "video/", "video", "text/html", "video/a b", "video/<b>", "application/x-sh", "*/*"})
    EXPECT_EQ(accepted_type(wrong).error().code, Code::unsupported) << wrong;
}

TEST(UploadMetadata, DeadlinesAreSeconds) {
  EXPECT_EQ(deadline_of({}).value(), 0);
  EXPECT_EQ(deadline_of({{"deadline", "2.5"}}).value(), 2.5);
  for (const char* wrong : {"", "soon", "0", "-1", "3601", "nan", "inf", "1 "})
    EXPECT_FALSE(deadline_of({{"deadline", wrong}})) << wrong;
}

// Source: printf abc | openssl dgst -binary -sha1 | base64, and -sha256.
TEST(UploadChecksum, MatchesItsBytesOnly) {
  for (const char* header :
       {"sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}) {
    auto right = Checksum::parse(header);
    ASSERT_TRUE(right);
    right->update("a");
    right->update("bc");
    EXPECT_TRUE(right->matches());
    auto wrong = Checksum::parse(header);
    wrong->update("abd");
    EXPECT_FALSE(wrong->matches());
  }
  for (const char* header : {"", "sha1", "sha1 ", "sha1 Zg==", "md5 rL0Y20zC+Fzt72VPzMSk2A==",
                             "SHA1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha256 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="})
    EXPECT_FALSE(Checksum::parse(header)) << header;
}

TEST(UploadRecord, ComesBackAsItWas) {
  const UploadRecord record{.owner = "me",
                            .name = "a.mp4",
                            .content_type = "video/mp4",
                            .metadata = {{"deadline", "3"}},
                            .upload_metadata = "deadline Mw==",
                            .length = 12,
                            .verified = 3,
                            .created = 1.5,
                            .expires = 2.5,
                            .job = "j",
                            .one_body = true,
                            .terminated = true,
                            .released = true};
  const auto back = parse_record(to_text(record), "x");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_text(*back), to_text(record));
  EXPECT_EQ(to_text(parse_record(to_text({}), "x").value()), to_text({}));
  std::string text = to_text(record);
  for (const std::string& wrong : {std::string(), std::string("{}"), text.substr(0, 40), std::string("[1]"),
                                   text.replace(text.find("\"version\":1"), 11, "\"version\":2")})
    EXPECT_EQ(parse_record(wrong, "upload.json").error().code, Code::corrupt) << wrong;
}

}  // namespace
}  // namespace reeltag::serve

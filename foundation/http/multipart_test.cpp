#include "reeltag/http/multipart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reeltag::http {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr const char* kType = "multipart/form-data; boundary=XyZ";

struct Read {
  Result<MultipartForm> form;
  std::string file;
};

// Feeds the text in pieces of this size.
Read read(std::string_view text, std::size_t piece = 1 << 20, const MultipartOptions& options = {},
          const char* type = kType) {
  std::string file;
  auto parser = MultipartParser::make(type, options, [&](std::string_view part) -> Result<void> {
    file += part;
    return {};
  });
  if (!parser) return {fail(parser.error()), ""};
  while (!text.empty()) {
    (void)parser->feed(text.substr(0, piece));  // a failure is kept until finish()
    text.remove_prefix(std::min(piece, text.size()));
  }
  return {parser->finish(), file};
}

std::string part(const std::string& name, const std::string& content, const std::string& more = "") {
  return "--XyZ\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + content + "\r\n";
}
std::string file_part(const std::string& content, const std::string& name = "a.mp4") {
  return part("file", content, "; filename=\"" + name + "\"\r\nContent-Type: video/mp4");
}

TEST(Multipart, GivesTheFileAndTheFieldsHoweverItIsCut) {
  const std::string content = "bytes \r\n--Xy \r\n-- \0 --XyZ \r\n--XyY\r"s;
  const std::string form =
      "preamble\r\n" + part("top", "5") + file_part(content) + part("empty", "") + "--XyZ--\r\nepilogue";
  for (std::size_t piece = 1; piece <= form.size(); ++piece) {
    const Read got = read(form, piece);
    ASSERT_TRUE(got.form) << piece << ": " << got.form.error().message;
    ASSERT_EQ(got.file, content) << piece;
    ASSERT_EQ(got.form->file->bytes, 34);
    ASSERT_EQ(got.form->file->name, "a.mp4");
    ASSERT_EQ(got.form->file->content_type, "video/mp4");
    ASSERT_EQ(got.form->fields, (std::vector<std::pair<std::string, std::string>>{{"top", "5"}, {"empty", ""}}));
  }
}

TEST(Multipart, ALargeFileIsNotKept) {
  std::size_t largest = 0;
  std::int64_t sum = 0;
  auto parser = MultipartParser::make(kType, {}, [&](std::string_view bytes) -> Result<void> {
    largest = std::max(largest, bytes.size());
    sum += static_cast<std::int64_t>(bytes.size());
    return {};
  });
  const std::string open = file_part("");
  ASSERT_TRUE(parser->feed(open.substr(0, open.size() - 2)));
  const std::string piece(100'000, '\r');  // each of them could begin a boundary
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(parser->feed(piece));
  ASSERT_TRUE(parser->feed("\r\n--XyZ--"));
  EXPECT_TRUE(parser->finish());
  EXPECT_EQ(sum, 100'000'000);
  EXPECT_LE(largest, piece.size() + 16);
}

TEST(Multipart, NamesLoseFoldersAndEscapes) {
  for (const auto& [given, name] : {std::pair{"../../etc/passwd", "passwd"},
                                    {"C:\\videos\\a b.mp4", "a b.mp4"},
                                    {"say \\\"hi\\\".mp4", "say \"hi\".mp4"},
                                    {"a;b=c.mp4", "a;b=c.mp4"},
                                    {"", ""}}) {
    const Read got = read(file_part("x", given) + "--XyZ--");
    ASSERT_TRUE(got.form) << given;
    EXPECT_EQ(got.form->file->name, name);
  }
  EXPECT_FALSE(read(part("a", "b") + "--XyZ--").form->file);
  EXPECT_TRUE(read(part("file", "no name") + "--XyZ--").form->file);
  EXPECT_TRUE(read("--a b--", 1, {}, "Multipart/Form-Data ; charset=utf-8; Boundary=\"a b\"").form);
  EXPECT_TRUE(read("--XyZ \t\r\nCONTENT-DISPOSITION: form-data; NAME=a\r\n\r\nb\r\n--XyZ--").form);
}

TEST(Multipart, RefusesWhatIsNoForm) {
  const std::string head = "--XyZ\r\nContent-Disposition: form-data; ";
  const std::vector<std::string> all{
      std::string(),
      std::string("--XyZ"),
      std::string("--XyZ\r\n"),
      std::string("XyZ--"),
      std::string(20'000, '-'),
      "--XyZ\r\n\r\nno head\r\n--XyZ--",
      "--XyZ\r\nnonsense\r\n\r\nx\r\n--XyZ--",
      part("a", "b"),
      file_part("cut off"),
      part("a", "b") + "--XyZ-",
      part("a", "b") + "--XyZZ\r\n",
      file_part("1") + file_part("2") + "--XyZ--",
      part("other", "x", "; filename=\"b.mp4\"") + "--XyZ--",
      head + "name=\"open\r\n\r\nx\r\n--XyZ--",
      head + "name=\"a\"; name=\"b\"\r\n\r\nx\r\n--XyZ--",
      head + "filename=\"b\"\r\n\r\nx\r\n--XyZ--",
      head + "name=\"a\"junk\r\n\r\nx\r\n--XyZ--",
      head + "name=\"a\"\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--XyZ--",
      std::string("--XyZ\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XyZ--"),
      head + "name=\"a\0b\"\r\n\r\nx\r\n--XyZ--"s,
      "--XyZ" + std::string(100, ' ') + "\r\n"};
  for (const std::string& wrong : all) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 20}) {
      const Read got = read(wrong, piece);
      ASSERT_FALSE(got.form) << wrong.substr(0, 100);
      EXPECT_EQ(got.form.error().code, Code::invalid_argument) << wrong.substr(0, 100);
    }
  }
  for (const char* type :
       {"", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
        "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=\"a\r\n\"",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890"})
    EXPECT_FALSE(read("--a--", 1, {}, type).form) << type;
}

TEST(Multipart, KeepsToItsLimits) {
  const MultipartOptions small{.max_file_bytes = 5, .max_field_bytes = 4, .max_parts = 2, .max_head_bytes = 200};
  EXPECT_TRUE(read(file_part("12345") + part("a", "1234") + "--XyZ--", 1, small).form);
  for (const std::string& over :
       {file_part("123456") + "--XyZ--", part("a", "12345") + "--XyZ--",
        part("a", "") + part("b", "") + part("c", "") + "--XyZ--",
        part("a", "", "; x=" + std::string(300, 'x')) + "--XyZ--", "--XyZ\r\n" + std::string(300, 'x')}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 20}) {
      const Read got = read(over, piece, small);
      ASSERT_FALSE(got.form) << over;
      EXPECT_EQ(got.form.error().code, Code::too_large) << over;
    }
  }
}

TEST(Multipart, TheSinksFailureStays) {
  auto parser = MultipartParser::make(
      kType, {}, [](std::string_view) { return Result<void>(fail(Code::unavailable, "disk full")); });
  ASSERT_TRUE(parser);
  const auto first = parser->feed(file_part("some bytes") + "--XyZ--");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Code::unavailable);
  EXPECT_THAT(parser->feed("more").error().message, HasSubstr("disk full"));
  EXPECT_FALSE(parser->finish());
}

}  // namespace
}  // namespace reeltag::http

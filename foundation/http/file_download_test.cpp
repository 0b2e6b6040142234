// Tests resumed downloads with a local server on loopback.
#include <fcntl.h>
#include <sys/file.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/file.hpp"
#include "test_server.hpp"

namespace reeltag::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kMuch = 1 << 20;

std::string some_bytes(std::size_t count, char first = 'a') {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += static_cast<char>(first + static_cast<char>(i * i % 23));
  return out;
}

std::string header_of(const std::string& request, const std::string& name) {
  const auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

// One file on a server that behaves correctly; each test changes the behavior that it is about.
struct Site {
  std::string body = some_bytes(10'000);
  std::string validator = "ETag: \"one\"\r\n";
  std::string content_type = "application/octet-stream";
  bool ranges = true;
  bool conditional = true;                             // honors If-Range
  std::optional<std::size_t> cut = {};                 // bytes of a response's body before the connection is closed
  std::function<std::string(std::size_t)> range = {};  // the Content-Range for a first byte; default: the correct one
  std::vector<std::string> asked = {};                 // the Range header of each request, "" if missing

  std::string answer(const std::string& request) {
    const std::string asked_range = header_of(request, "Range"), condition = header_of(request, "If-Range");
    asked.push_back(asked_range);
    std::size_t first = 0;
    const bool same = !conditional || (!condition.empty() && validator.find(condition) != std::string::npos);
    if (ranges && same && asked_range.starts_with("bytes=")) first = std::stoul(asked_range.substr(6));
    const std::string rest = body.substr(first);
    std::string head = first > 0 ? "HTTP/1.1 206 Partial\r\n" : "HTTP/1.1 200 OK\r\n";
    head += "Connection: close\r\nContent-Type: " + content_type + "\r\n" + validator;
    head += "Content-Length: " + std::to_string(rest.size()) + "\r\n";
    if (first > 0) {
      const std::string truth =
          "bytes " + std::to_string(first) + "-" + std::to_string(body.size() - 1) + "/" + std::to_string(body.size());
      head += "Content-Range: " + (range ? range(first) : truth) + "\r\n";
    }
    return head + "\r\n" + rest.substr(0, cut.value_or(rest.size()));
  }
};

class FileDownloads : public testing::Test {
 protected:
  Result<FileDownload> fetch(const std::string& path = "/weights", const ClientOptions& options = with_second()) {
    return download_to_file(at("127.0.0.2", server, path), file, options, [this](auto done, auto total) {
      done_ = done;
      total_ = total;
    });
  }
  // Leaves the first `bytes` of the site's file, as an interrupted call would.
  void begin_with(std::size_t bytes) {
    site.cut = bytes;
    const auto got = fetch();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::unavailable);
    EXPECT_EQ(got.error().message.find("goes on from there") != std::string::npos, !site.validator.empty());
    ASSERT_EQ(std::filesystem::file_size(part()), bytes);
    ASSERT_FALSE(std::filesystem::exists(file));
    site.cut.reset();
  }
  void expect_whole(std::int64_t resumed) {
    const auto got = fetch();
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->resumed, resumed);
    EXPECT_EQ(got->bytes, static_cast<std::int64_t>(site.body.size()));
    EXPECT_EQ(*read_file(file, kMuch), site.body);
    EXPECT_FALSE(std::filesystem::exists(part()));
  }
  [[nodiscard]] std::filesystem::path part() const { return file.string() + ".part"; }

  TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "downloads" / "weights";
  Site site;
  std::int64_t done_ = 0, total_ = 0;
  Server server{[this](const std::string& request) { return site.answer(request); }};
};

TEST_F(FileDownloads, AFileAppearsWholeAndIsNotFetchedAgain) {
  expect_whole(0);
  EXPECT_EQ(done_, 10'000);
  EXPECT_EQ(total_, 10'000);
  expect_whole(10'000);
  EXPECT_EQ(server.connections(), 1);
  remove_download(file);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "downloads"));
  expect_whole(0);
}

TEST_F(FileDownloads, AfterACutOnlyTheRestIsFetched) {
  begin_with(6000);
  site.cut = 1000;
  ASSERT_FALSE(fetch());
  site.cut.reset();
  expect_whole(7000);
  EXPECT_THAT(site.asked, ElementsAre("", "bytes=6000-", "bytes=7000-"));
}

TEST_F(FileDownloads, WhatWasWholeButNotRenamedIsNotAskedFor) {
  begin_with(9999);
  write_file(part(), site.body);
  expect_whole(10'000);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(FileDownloads, AModificationTimeServesWhereThereIsNoStrongEtag) {
  site.validator = "ETag: W/\"weak\"\r\nLast-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\n";
  begin_with(2000);
  expect_whole(2000);
}

TEST_F(FileDownloads, StartsOverWhereTheServerKnowsNoRanges) {
  begin_with(6000);
  site.ranges = false;
  expect_whole(0);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(FileDownloads, StartsOverWhereTheFileHasChanged) {
  begin_with(6000);
  site.body = some_bytes(8000, 'A');
  site.validator = "ETag: \"two\"\r\n";
  expect_whole(0);
}

TEST_F(FileDownloads, StartsOverWhereNothingTellsVersionsApart) {
  site.validator = "";
  begin_with(6000);
  expect_whole(0);
  EXPECT_THAT(site.asked, ElementsAre("", ""));
}

TEST_F(FileDownloads, StartsOverAtAnAnswerThatDoesNotContinue) {
  const std::function<std::string(std::size_t)> wrong[] = {
      [](std::size_t first) { return "bytes " + std::to_string(first - 1) + "-9998/10000"; },
      [](std::size_t first) { return "bytes " + std::to_string(first) + "-9999/20000"; },
      [](std::size_t first) { return "bytes " + std::to_string(first) + "-10000/10000"; },
      [](std::size_t) { return std::string("bytes */10000"); },
      [](std::size_t) { return std::string("items 6000-9999/10000"); },
      [](std::size_t) { return std::string("bytes 6000-9999/99999999999999999999999"); },
      [](std::size_t) { return std::string(); }};
  for (const auto& range : wrong) {
    remove_download(file);
    begin_with(6000);
    site.range = range;
    site.asked.clear();
    expect_whole(0);
    EXPECT_THAT(site.asked, ElementsAre("bytes=6000-", "")) << range(6000);
    site.range = {};
  }
}

TEST_F(FileDownloads, StartsOverAtAnotherEtagInThePart) {
  begin_with(6000);
  site.conditional = false;
  site.body = some_bytes(10'000, 'A');
  site.validator = "ETag: \"two\"\r\n";
  site.asked.clear();
  expect_whole(0);
  EXPECT_THAT(site.asked, ElementsAre("bytes=6000-", ""));
}

TEST_F(FileDownloads, APartThatNobodyAskedForIsRefused) {
  Server odd([](const std::string&) {
    return std::string("HTTP/1.1 206 P\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\nab");
  });
  const auto got = download_to_file(at("127.0.0.2", odd), file, with_second());
  EXPECT_THAT(got.error().message, HasSubstr("nobody asked for"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(FileDownloads, StartsOverWhereTheServerHasNothingThere) {
  Server server416([](const std::string& request) {
    return !header_of(request, "Range").empty()
               ? std::string("HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
               : std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\nhalf");
  });
  const std::string url = at("127.0.0.2", server416);
  EXPECT_FALSE(download_to_file(url, file, with_second()));
  EXPECT_FALSE(download_to_file(url, file, with_second()));
  EXPECT_EQ(server416.connections(), 3);  // whole; part, whole
}

TEST_F(FileDownloads, ARecordThatIsNoneStartsOver) {
  for (const char* text : {"", "{}", "[1]", "{\"url\":1}", "not json"}) {
    remove_download(file);
    begin_with(6000);
    write_file(file.string() + ".json", text);
    expect_whole(0);
  }
}

TEST_F(FileDownloads, AnotherUrlIsAnotherFile) {
  begin_with(6000);
  EXPECT_EQ(fetch("/other")->resumed, 0);
  EXPECT_EQ(fetch("/third")->resumed, 0);
  EXPECT_EQ(fetch("/third")->resumed, 10'000);
  EXPECT_THAT(site.asked, ElementsAre("", "", ""));
}

TEST_F(FileDownloads, GoesOnAtAnotherUrlWhereTheTagSaysThatItIsTheSame) {
  auto changing = with_second();
  changing.links_change = true;
  begin_with(6000);
  EXPECT_EQ(fetch("/signed-anew", changing)->resumed, 6000);
  EXPECT_EQ(*read_file(file, kMuch), site.body);
  remove_download(file);
  begin_with(6000);
  site.validator = "ETag: \"another\"\r\n";
  EXPECT_EQ(fetch("/changed", changing)->resumed, 0);
  remove_download(file);
  site.validator = "Last-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\n";  // two files may have the same date
  begin_with(6000);
  EXPECT_EQ(fetch("/dated", changing)->resumed, 0);
}

TEST_F(FileDownloads, EndsWhereItIsTooLargeAndTouchesNothing) {
  begin_with(6000);
  ClientOptions small = with_second();
  small.max_file_bytes = 9999;
  site.validator = "ETag: \"two\"\r\n";
  const auto announced = fetch("/weights", small);
  EXPECT_EQ(announced.error().code, Code::too_large);
  EXPECT_THAT(announced.error().message, HasSubstr("http.max_file_bytes"));
  EXPECT_EQ(std::filesystem::file_size(part()), 6000U);
  site.validator = "ETag: \"one\"\r\n";
  EXPECT_EQ(fetch("/weights", small).error().code, Code::too_large);
  EXPECT_LE(std::filesystem::file_size(part()), 9999U);
  expect_whole(static_cast<std::int64_t>(std::filesystem::file_size(part())));

  Server streams(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + some_bytes(20'000); });
  const auto streamed = download_to_file(at("127.0.0.2", streams), folder.path() / "s", small);
  EXPECT_EQ(streamed.error().code, Code::too_large);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "s"));
  const auto fits = download_to_file(at("127.0.0.2", streams), folder.path() / "s", with_second());
  EXPECT_EQ(fits->bytes, 20'000);
}

// The text "body of the file", and 100,000 zero bytes, compressed.
const char* const kGzip = "H4sIAAAAAAACA0vKT6lUyE9TKMlIVUjLzEkFAAqZic0QAAAA";
const char* const kDeflate = "eJxLyk+pVMhPUyjJSFVIy8xJBQAxNQXF";
const char* const kZeros =
    "H4sIAAAAAAACA+3BMQEAAADCoPVPbQ0PoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIBXA32VEdSghgEA";

TEST_F(FileDownloads, ACompressedBodyIsStoredAsTheFileItIs) {
  for (const auto& [coding, body] :
       {std::pair("gzip", kGzip), {"x-gzip", kGzip}, {"GZIP", kGzip}, {"deflate", kDeflate}}) {
    site.body = from_base64(body).value();
    site.validator = "ETag: \"one\"\r\nContent-Encoding: " + std::string(coding) + "\r\n";
    const auto got = fetch("/" + std::string(coding));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*read_file(file, kMuch), "body of the file") << coding;
  }
}

TEST_F(FileDownloads, ACompressedBodyThatWasCutIsFetchedAnew) {
  site.body = from_base64(kGzip).value();
  site.validator = "ETag: \"one\"\r\nContent-Encoding: gzip\r\n";
  site.cut = 25;
  ASSERT_FALSE(fetch());
  site.cut.reset();
  ASSERT_TRUE(fetch());
  EXPECT_EQ(*read_file(file, kMuch), "body of the file");
  EXPECT_THAT(site.asked, ElementsAre("", ""));
}

TEST_F(FileDownloads, LimitsCountDecodedBytes) {
  site.body = from_base64(kZeros).value();
  site.validator = "Content-Encoding: gzip\r\n";
  ClientOptions options = with_second();
  options.max_file_bytes = 99'999;
  const auto got = fetch("/zeros", options);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::too_large);
  options.max_file_bytes = 100'000;
  EXPECT_TRUE(fetch("/zeros", options));
}

TEST_F(FileDownloads, AnUnknownCodingIsRefused) {
  site.validator = "Content-Encoding: secret\r\n";
  const auto got = fetch();
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("content encoding"));
}

TEST_F(FileDownloads, AWebPageIsRefusedAndCostsNothing) {
  begin_with(6000);
  const Site before = site;
  site.content_type = "Text/HTML; charset=utf-8";
  site.validator = "";
  const auto got = fetch();
  EXPECT_EQ(got.error().code, Code::unsupported);
  EXPECT_THAT(got.error().message, HasSubstr("web page"));
  site = before;
  expect_whole(6000);
}

TEST_F(FileDownloads, AnErrorsAnswerCostsNothing) {
  begin_with(6000);
  Server errors([](const std::string&) {
    return std::string("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage");
  });
  EXPECT_EQ(download_to_file(at("127.0.0.2", errors), file, with_second()).error().code, Code::unavailable);
  expect_whole(6000);
}

TEST_F(FileDownloads, ACallThatGotNothingLeavesNothing) {
  Server errors([](const std::string&) {
    return std::string("HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  EXPECT_EQ(download_to_file(at("127.0.0.2", errors), file, with_second()).error().code, Code::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(file.parent_path()));
}

TEST_F(FileDownloads, PrivateAddressesStayRefusedAlsoBehindARedirectInTheMiddle) {
  begin_with(6000);
  const int before = server.connections();
  const std::string here = at("127.0.0.1", server, "/weights");
  EXPECT_EQ(download_to_file(here, file, quick()).error().code, Code::permission_denied);
  for (const int status : {301, 302, 303, 307, 308}) {
    Server leads([&](const std::string&) { return redirect(status, here); });
    const auto got = download_to_file(at("127.0.0.2", leads), file, with_second());
    EXPECT_EQ(got.error().code, Code::permission_denied) << status;
  }
  EXPECT_EQ(server.connections(), before);
  expect_whole(6000);
}

TEST_F(FileDownloads, ARedirectIsFollowedWithTheRange) {
  Server leads([&](const std::string&) { return redirect(302, at("127.0.0.2", server, "/weights")); });
  const std::string url = at("127.0.0.2", leads);
  site.cut = 5000;
  EXPECT_FALSE(download_to_file(url, file, with_second()));
  site.cut.reset();
  const auto got = download_to_file(url, file, with_second());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->resumed, 5000);
  EXPECT_EQ(*read_file(file, kMuch), site.body);
}

TEST_F(FileDownloads, WhatCannotBeWrittenIsAnException) {
  std::filesystem::create_directories(file.string() + ".json");
  EXPECT_THROW(fetch(), Exception);
  std::filesystem::remove(file.string() + ".json");
  expect_whole(0);
}

TEST_F(FileDownloads, TwoAtOneFileAreNotMixed) {
  std::filesystem::create_directories(file.parent_path());
  const Descriptor other(::open(part().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  const auto got = fetch();
  EXPECT_EQ(got.error().code, Code::unavailable);
  EXPECT_THAT(got.error().message, HasSubstr("another process"));
  EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace reeltag::http

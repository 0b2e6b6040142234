// Tests connections that break, stall and compete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "upload_fixture.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
using http::server::soon;
using Clock = std::chrono::steady_clock;

// Seconds. Well below the 20 s after which the server drops a stalled connection, and the 10 s for which 40 requests
// would hold 8 threads; above what a busy machine needs.
constexpr double kSoon = 5;
// printf abcdefgh | openssl dgst -binary -sha1 | base64
constexpr const char* kSumOfEight = "Upload-Checksum: sha1 QlrxKgdDUCsyLpOgFbz4aOMk1Wo=\r\n";

bool has_size(const Site& site, const std::string& path, std::uintmax_t size) {
  return soon([&] { return std::filesystem::file_size(site.file_of(path)) == size; });
}

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

TEST(UploadConnection, WhatCameBeforeABreakIsKept) {
  for (const bool by_reset : {false, true}) {
    Site site;
    const std::string bytes = bytes_of(1'000'000);
    const auto path = site.create(bytes.size());
    Raw client(site.port());
    client.send(head("PATCH", path, part_at(0, length_of(bytes.size()))) + bytes.substr(0, 700'000));
    ASSERT_TRUE(has_size(site, path, 700'000));
    if (by_reset) client.reset();
    client.close();
    const auto begin = Clock::now();
    EXPECT_EQ(site.offset_of(path), "700000");
    EXPECT_EQ(site.send("PATCH", path, part_at(700'000), bytes.substr(700'000)).status, 204);
    EXPECT_LT(seconds_since(begin), kSoon);
    EXPECT_TRUE(content_of(site.last().file) == bytes);
  }
}

TEST(UploadConnection, OfACheckedPartNothingIsKept) {
  Site site;
  const auto path = site.create(100);
  site.send("PATCH", path, part_at(0), "0123");
  Raw client(site.port());
  client.send(head("PATCH", path, part_at(4, length_of(8) + kSumOfEight)) + "abcd");
  ASSERT_TRUE(has_size(site, path, 8));
  client.reset();
  EXPECT_TRUE(has_size(site, path, 4));
  EXPECT_EQ(site.offset_of(path), "4");
  EXPECT_EQ(site.send("PATCH", path, part_at(4, kSumOfEight), "abcdefgh").status, 204);
  EXPECT_EQ(content_of(site.file_of(path)), "0123abcdefgh");
}

TEST(UploadConnection, ASlowClientArrives) {
  Site site;
  const auto path = site.create(20);
  Raw client(site.port());
  client.send(head("PATCH", path, part_at(0, length_of(20))));
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(30ms);
    client.send(std::string(1, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(client.answer().status, 204);
  EXPECT_EQ(content_of(site.file_of(path)), "abcdefghijklmnopqrst");
}

// The client is gone, but the connection was not closed.
TEST(UploadConnection, AStalledRequestGivesWay) {
  for (const bool asks_first : {false, true}) {
    for (const bool checked : {false, true}) {
      Site site;
      const auto path = site.create(100);
      Raw stalled(site.port());
      stalled.send(head("PATCH", path, part_at(0, length_of(8) + (checked ? kSumOfEight : ""))) + "abcd");
      ASSERT_TRUE(has_size(site, path, 4));
      const auto begin = Clock::now();
      const std::string offset = checked ? "0" : "4";
      if (asks_first) {
        EXPECT_EQ(site.offset_of(path), offset);
      }
      EXPECT_EQ(site.send("PATCH", path, part_at(std::stoul(offset)), "later").status, 204);
      EXPECT_LT(seconds_since(begin), kSoon);
      // The first one is told at its next bytes, which are not written.
      EXPECT_EQ(stalled.exchange("efgh").status, 423);
      EXPECT_EQ(content_of(site.file_of(path)), checked ? "later" : "abcdlater");
      EXPECT_EQ(site.offset_of(path), checked ? "5" : "9");
    }
  }
}

TEST(UploadConnection, ARequestThatIsAliveIsNotDisturbed) {
  Site site;
  const auto path = site.create(1000);
  Raw client(site.port());
  client.send(head("PATCH", path, part_at(0, length_of(1000))));
  std::jthread writing([&](const std::stop_token& stop) {
    for (int sent = 0; sent < 1000; ++sent) {
      if (!stop.stop_requested()) std::this_thread::sleep_for(20ms);
      client.send("x");
    }
  });
  ASSERT_TRUE(soon([&] { return std::filesystem::file_size(site.file_of(path)) > 0; }));
  auto begin = Clock::now();
  const auto other = site.send("PATCH", path, part_at(0), "y");
  EXPECT_EQ(other.status, 423);
  EXPECT_NE(other.header("retry-after"), "");
  EXPECT_LT(seconds_since(begin), kSoon);
  begin = Clock::now();
  EXPECT_GT(std::stoul(site.offset_of(path)), 10U);
  EXPECT_LT(seconds_since(begin), kSoon);
  writing.request_stop();
  EXPECT_EQ(client.answer().status, 204);
  EXPECT_EQ(content_of(site.file_of(path)), std::string(1000, 'x'));
}

// Waiting requests must not use up all threads.
TEST(UploadConnection, FewWaitAtOnce) {
  Site site;
  const auto path = site.create(1000);
  Raw client(site.port());
  client.send(head("PATCH", path, part_at(0, length_of(1000))));
  std::jthread writing([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && client.send("x")) std::this_thread::sleep_for(20ms);
  });
  ASSERT_TRUE(soon([&] { return std::filesystem::file_size(site.file_of(path)) > 0; }));
  std::vector<std::jthread> many;
  for (int i = 0; i < 40; ++i)
    many.emplace_back([&] { EXPECT_EQ(site.send("PATCH", path, part_at(0), "y").status, 423); });
  std::this_thread::sleep_for(100ms);
  const auto begin = Clock::now();
  EXPECT_EQ(site.send("OPTIONS", path).status, 204);
  EXPECT_LT(seconds_since(begin), kSoon);
  many.clear();
}

TEST(UploadConnection, AnEndedUploadEndsItsRequest) {
  Site site;
  const auto path = site.create(100);
  Raw client(site.port());
  client.send(head("PATCH", path, part_at(0, length_of(8))) + "abcd");
  ASSERT_TRUE(has_size(site, path, 4));
  EXPECT_EQ(site.send("DELETE", path, tus()).status, 204);
  EXPECT_EQ(client.exchange("efgh").status, 404);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
}

TEST(UploadConnection, TheJobIsMadeOnce) {
  Site site;
  site.job_milliseconds = 300;
  const auto path = site.create(5);
  std::vector<std::jthread> many;
  const auto has_job = [](const RawAnswer& answer) { return answer.header("reeltag-job").starts_with("job-"); };
  many.emplace_back([&] { EXPECT_TRUE(has_job(site.send("PATCH", path, part_at(0), "01234"))); });
  ASSERT_TRUE(soon([&] { return site.uploads().find(path.substr(path.rfind('/') + 1)).has_value(); }));
  for (int i = 0; i < 4; ++i) {
    many.emplace_back([&] { EXPECT_TRUE(has_job(site.send("HEAD", path, tus()))); });
    many.emplace_back([&] { EXPECT_TRUE(has_job(site.send("PATCH", path, part_at(5), ""))); });
  }
  many.clear();
  ASSERT_EQ(site.passed_on().size(), 1U);
  EXPECT_EQ(site.passed_on().begin()->second, 1);
}

TEST(UploadConnection, ManyUploadsAtOnce) {
  Site site;
  const std::string bytes = bytes_of(400'000);
  std::vector<std::jthread> many;
  for (int i = 0; i < 16; ++i) {
    many.emplace_back([&] {
      const auto path = site.create(bytes.size());
      for (std::size_t at = 0; at < bytes.size(); at += 100'000)
        EXPECT_EQ(site.send("PATCH", path, part_at(at), bytes.substr(at, 100'000)).status, 204);
      EXPECT_TRUE(content_of(site.file_of(path)) == bytes);
    });
  }
  many.clear();
  EXPECT_EQ(site.passed_on().size(), 16U);
}

}  // namespace
}  // namespace reeltag::serve

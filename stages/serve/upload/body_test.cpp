// Tests videos sent in one request.
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "upload_fixture.hpp"

namespace reeltag::serve {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPath = "/v1/videos";

std::string form(const std::string& file_head, const std::string& file, const std::string& more = "") {
  return more + "--b\r\nContent-Disposition: form-data; " + file_head + "\r\n\r\n" + file + "\r\n--b--\r\n";
}
std::string field(const std::string& name, const std::string& value) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
const std::string kForm = "Content-Type: multipart/form-data; boundary=b\r\n";

TEST(UploadBody, BecomesAJob) {
  Site site;
  const std::string bytes = bytes_of(3'000'000);
  const auto answer =
      site.send("POST", std::string(kPath) + "?deadline=3&name=no.mp4",
                "Content-Type: video/mp4\r\nContent-Disposition: attachment; filename=\"a/b.mp4\"\r\n", bytes);
  EXPECT_EQ(answer.status, 202);
  const auto upload = site.last();
  EXPECT_EQ(answer.header("location"), "/v1/jobs/job-" + upload.id);
  EXPECT_EQ(upload.name, "b.mp4");
  EXPECT_EQ(upload.content_type, "video/mp4");
  EXPECT_EQ(upload.owner, "me");
  EXPECT_EQ(upload.deadline, 3);
  EXPECT_EQ(upload.bytes, 3'000'000);
  EXPECT_TRUE(content_of(upload.file) == bytes);
  EXPECT_EQ(site.send("HEAD", "/v1/uploads/" + upload.id, tus()).status, 404);  // not a tus upload
  site.uploads().remove(upload.id);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));

  EXPECT_EQ(
      site.send("POST", std::string(kPath) + "?name=c.mp4", "Content-Type: application/octet-stream\r\n", "x").status,
      202);
  EXPECT_EQ(site.last().name, "c.mp4");
  EXPECT_EQ(site.send("POST", kPath, "", "x").status, 202);
  EXPECT_EQ(site.last().content_type, "");
}

TEST(UploadBody, ComesInAForm) {
  Site site;
  const std::string bytes = bytes_of(1'000'000);
  const auto answer = site.send(
      "POST", kPath, kForm,
      form("name=\"file\"; filename=\"d.webm\"\r\nContent-Type: video/webm", bytes, field("deadline", "1.5")));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(site.last().name, "d.webm");
  EXPECT_EQ(site.last().content_type, "video/webm");
  EXPECT_EQ(site.last().deadline, 1.5);
  EXPECT_TRUE(content_of(site.last().file) == bytes);
}

TEST(UploadBody, LeavesNothingOfWhatIsRefused) {
  Site site({.max_bytes = 1000});
  const auto status = [&](const std::string& headers, const std::string& body, const std::string& query = "") {
    return site.send("POST", kPath + query, headers, body).status;
  };
  EXPECT_EQ(status("Content-Type: text/html\r\n", "x"), 415);
  EXPECT_EQ(status("Content-Type: video/mp4\r\n", ""), 400);
  EXPECT_EQ(status("Content-Type: video/mp4\r\n", std::string(1001, 'x')), 413);
  EXPECT_EQ(status("Content-Type: video/mp4\r\n", "x", "?deadline=soon"), 400);
  EXPECT_EQ(status("Content-Type: multipart/form-data\r\n", "x"), 400);
  EXPECT_EQ(status(kForm, "x"), 400);
  EXPECT_EQ(status(kForm, form("name=\"file\"", "")), 400);
  EXPECT_EQ(status(kForm, form("name=\"other\"", "x")), 400);
  EXPECT_EQ(status(kForm, form("name=\"file\"\r\nContent-Type: text/html", "x")), 415);
  EXPECT_EQ(status(kForm, form("name=\"file\"", std::string(1001, 'x'))), 413);
  EXPECT_EQ(status(kForm, form("name=\"file\"", "x", field("deadline", "0"))), 400);
  for (const char* chunks : {"3e9\r\n", "0\r\n\r\n"}) {  // too many bytes, and none
    Raw client(site.port());
    const std::string body = chunks + (chunks[0] == '3' ? std::string(1001, 'x') + "\r\n0\r\n\r\n" : "");
    EXPECT_EQ(
        client.exchange(head("POST", kPath, "Content-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n") + body).status,
        chunks[0] == '3' ? 413 : 400);
  }
  EXPECT_TRUE(http::server::soon([&] { return std::filesystem::is_empty(site.folder()); }));
  EXPECT_EQ(site.passed_on().size(), 0U);
}

TEST(UploadBody, TheSameKeyAndContentHaveOneJob) {
  Site site;
  const std::string bytes = bytes_of(200'000);
  const auto key = [](const std::string& name) { return "Idempotency-Key: " + name + "\r\n"; };
  const auto send = [&](const std::string& headers, const std::string& body, const std::string& owner = "me") {
    return site.send("POST", kPath, headers, body, owner);
  };
  const std::string video = "Content-Type: video/mp4\r\n" + key("k");
  const auto first = send(video, bytes);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(send(video, bytes).header("location"), first.header("location"));
  // The content counts, not what is around it.
  const auto as_form = [&](const std::string& boundary) {
    const std::string body = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + bytes +
                             "\r\n--" + boundary + "--\r\n";
    return send("Content-Type: multipart/form-data; boundary=" + boundary + "\r\n" + key("k"), body);
  };
  EXPECT_EQ(as_form("b").header("location"), first.header("location"));
  EXPECT_EQ(as_form("another").header("location"), first.header("location"));
  for (const auto& other : {bytes + "x", bytes.substr(1), std::string("x")}) EXPECT_EQ(send(video, other).status, 422);
  EXPECT_EQ(send(kForm + key("k"), form("name=\"file\"", bytes, field("deadline", "3"))).status, 422);
  EXPECT_NE(send(video, bytes, "you").header("location"), first.header("location"));
  EXPECT_NE(send("Content-Type: video/mp4\r\n" + key("l"), bytes).header("location"), first.header("location"));
  EXPECT_NE(send("Content-Type: video/mp4\r\n", bytes).header("location"), first.header("location"));
  EXPECT_EQ(send("Content-Type: video/mp4\r\n" + key(""), bytes).status, 400);
  EXPECT_EQ(send("Content-Type: video/mp4\r\n" + key(std::string(201, 'k')), bytes).status, 400);
  // Only the four that have a job of their own are kept.
  EXPECT_EQ(site.passed_on().size(), 4U);
  EXPECT_TRUE(http::server::soon([&] {
    return std::distance(std::filesystem::directory_iterator(site.folder()), std::filesystem::directory_iterator()) ==
           4;
  }));
}

TEST(UploadBody, SimultaneousRequestsWithOneKeyHaveOneJob) {
  Site site;
  site.job_milliseconds = 50;
  const std::string bytes = bytes_of(500'000);
  std::vector<std::string> jobs(4);
  {
    std::vector<std::jthread> threads;
    for (auto& job : jobs) {
      threads.emplace_back([&] {
        job = site.send("POST", kPath, "Content-Type: video/mp4\r\nIdempotency-Key: k\r\n", bytes).header("location");
      });
    }
  }
  EXPECT_FALSE(jobs.front().empty());
  EXPECT_EQ(std::set<std::string>(jobs.begin(), jobs.end()).size(), 1U);
}

TEST(UploadBody, WithoutItsEndIsNothing) {
  Site site;
  Raw client(site.port());
  client.send(head("POST", kPath, "Content-Type: video/mp4\r\n" + length_of(1000)) + "first bytes");
  ASSERT_TRUE(http::server::soon([&] { return !std::filesystem::is_empty(site.folder()); }));
  client.reset();
  EXPECT_TRUE(http::server::soon([&] { return std::filesystem::is_empty(site.folder()); }));
  site.refuses_jobs = true;
  const auto refused = site.send("POST", kPath, "Content-Type: video/mp4\r\n", "x");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("try again"));
  EXPECT_TRUE(http::server::soon([&] { return std::filesystem::is_empty(site.folder()); }));
}

}  // namespace
}  // namespace reeltag::serve

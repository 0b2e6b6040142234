// Tests the protocol, rule by rule, over a real socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include "upload_fixture.hpp"

namespace reeltag::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;

TEST(Tus, CreatesWritesAndPassesOn) {
  Site site;
  const std::string bytes = bytes_of(100'000);
  const auto path =
      site.create(bytes.size(), "Upload-Metadata: filename ZGFuY2UubXA0,filetype dmlkZW8vbXA0,deadline Mi41\r\n");
  EXPECT_THAT(path, MatchesRegex("/v1/uploads/[0-9a-f]{32}"));
  auto answer = site.send("HEAD", path, tus());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("upload-offset"), "0");
  EXPECT_EQ(answer.header("upload-length"), "100000");
  EXPECT_EQ(answer.header("upload-metadata"), "filename ZGFuY2UubXA0,filetype dmlkZW8vbXA0,deadline Mi41");
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  EXPECT_EQ(answer.header("tus-resumable"), "1.0.0");
  EXPECT_THAT(answer.header("upload-expires"), HasSubstr(" GMT"));
  EXPECT_EQ(answer.header("reeltag-job"), "");

  answer = site.send("PATCH", path, part_at(0), bytes.substr(0, 60'000));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("upload-offset"), "60000");
  EXPECT_THAT(answer.header("upload-expires"), HasSubstr(" GMT"));
  EXPECT_THAT(site.passed_on(), ElementsAre());
  EXPECT_EQ(site.offset_of(path), "60000");

  answer = site.send("PATCH", path, part_at(60'000), bytes.substr(60'000));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("upload-offset"), "100000");
  const std::string id = path.substr(path.rfind('/') + 1);
  EXPECT_EQ(answer.header("reeltag-job"), "job-" + id);
  EXPECT_EQ(answer.header("upload-expires"), "");
  EXPECT_EQ(site.send("HEAD", path, tus()).header("reeltag-job"), "job-" + id);
  EXPECT_THAT(site.passed_on(), ElementsAre(Pair(id, 1)));

  const auto upload = site.last();
  EXPECT_EQ(upload.owner, "me");
  EXPECT_EQ(upload.name, "dance.mp4");
  EXPECT_EQ(upload.content_type, "video/mp4");
  EXPECT_EQ(upload.deadline, 2.5);
  EXPECT_EQ(upload.bytes, 100'000);
  EXPECT_EQ(upload.file, site.file_of(path));
  EXPECT_TRUE(content_of(upload.file) == bytes);
  EXPECT_EQ(site.uploads().find(id)->file, upload.file);
}

TEST(Tus, NobodyElseReadsTheFiles) {
  Site site;
  const auto path = site.create(10);
  site.send("PATCH", path, part_at(0), "12345");
  const auto mode = [](const std::filesystem::path& file) {
    struct stat facts{};
    ::stat(file.c_str(), &facts);
    return facts.st_mode & 0777;
  };
  EXPECT_EQ(mode(site.folder()), 0700U);
  EXPECT_EQ(mode(site.folder_of(path)), 0700U);
  EXPECT_EQ(mode(site.folder_of(path) / "data"), 0600U);
  EXPECT_EQ(mode(site.folder_of(path) / "upload.json"), 0600U);
}

TEST(Tus, SaysWhatItCan) {
  Site site({.max_bytes = 5000});
  for (const char* path : {"/v1/uploads", "/v1/uploads/x"}) {
    const auto answer = site.send("OPTIONS", path, "Tus-Resumable: 0.1\r\n", "", "nobody");
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.header("tus-version"), "1.0.0");
    EXPECT_EQ(answer.header("tus-resumable"), "1.0.0");
    EXPECT_EQ(answer.header("tus-max-size"), "5000");
    EXPECT_EQ(answer.header("tus-extension"),
              "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination");
    EXPECT_EQ(answer.header("tus-checksum-algorithm"), "sha1,sha256");
  }
}

TEST(Tus, WantsItsVersionOnEveryRequest) {
  Site site;
  const auto path = site.create(10);
  for (const char* version : {"", "Tus-Resumable: 0.2.2\r\n", "Tus-Resumable: 1.0.0, 1.0.0\r\n"}) {
    const auto answer = site.send(
        "PATCH", path, "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n" + std::string(version),
        "12345");
    EXPECT_EQ(answer.status, 412);
    EXPECT_EQ(answer.header("tus-version"), "1.0.0");
    EXPECT_EQ(site.send("POST", "/v1/uploads", "Upload-Length: 5\r\n" + std::string(version)).status, 412);
    EXPECT_EQ(site.send("HEAD", path, version).status, 412);
    EXPECT_EQ(site.send("DELETE", path, version).status, 412);
  }
  EXPECT_EQ(site.offset_of(path), "0");
}

TEST(Tus, RefusesCreationsThatCannotEndWell) {
  Site site({.max_bytes = 1 << 30});
  const auto status = [&](const std::string& headers) {
    const auto answer = site.send("POST", "/v1/uploads", tus(headers));
    EXPECT_EQ(answer.header("location"), "");
    EXPECT_EQ(answer.header("tus-resumable"), "1.0.0");
    return answer.status;
  };
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("Upload-Length: 5\r\nUpload-Defer-Length: 1\r\n"), 400);
  EXPECT_EQ(status("Upload-Defer-Length: 2\r\n"), 400);
  for (const char* wrong : {"0", "-1", "+5", "five", "5, 5", "1e3", "0x10"})
    EXPECT_EQ(status("Upload-Length: " + std::string(wrong) + "\r\n"), 400) << wrong;
  for (const char* large : {"1073741825", "2147483648", "9223372036854775808", "99999999999999999999999"})
    EXPECT_EQ(status("Upload-Length: " + std::string(large) + "\r\n"), 413) << large;
  const std::string five = "Upload-Length: 5\r\n";
  EXPECT_EQ(status(five + "Upload-Metadata: a,,b\r\n"), 400);
  EXPECT_EQ(status(five + "Upload-Metadata: deadline c29vbg==\r\n"), 400);
  EXPECT_EQ(status(five + "Upload-Metadata: filetype dGV4dC9odG1s\r\n"), 415);
  EXPECT_EQ(status(five + "Upload-Metadata: type aW1hZ2UvcG5n\r\n"), 415);
  EXPECT_EQ(status(five + "Upload-Concat: partial\r\n"), 400);
  EXPECT_EQ(status(five + "Upload-Checksum: md5 rL0Y20zC+Fzt72VPzMSk2A==\r\n"), 400);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
  site.create(5, "Upload-Metadata: filetype aW1hZ2UvZ2lm\r\n");
}

TEST(Tus, SomebodyElsesUploadIsNotThere) {
  Site site;
  const auto path = site.create(10);
  const auto missing = "/v1/uploads/" + std::string(32, '0');
  for (const auto& [where, owner] : {std::pair{path, "you"}, std::pair{missing, "me"}, std::pair{path + "x", "me"}}) {
    const auto answer = site.send("HEAD", where, tus(), "", owner);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.header("upload-offset"), "");
    EXPECT_EQ(site.send("PATCH", where, part_at(0), "12345", owner).status, 404);
    EXPECT_EQ(site.send("DELETE", where, tus(), "", owner).status, 404);
  }
  EXPECT_EQ(site.offset_of(path), "0");
  const auto refused = site.send("HEAD", path, tus(), "", "nobody");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("tus-resumable"), "1.0.0");
  EXPECT_EQ(site.send("GET", path, tus()).status, 405);
  EXPECT_EQ(site.send("PUT", "/v1/uploads", tus()).status, 405);
}

TEST(Tus, APartMustFit) {
  Site site;
  const auto path = site.create(10);
  ASSERT_EQ(site.send("PATCH", path, part_at(0), "01234").status, 204);
  EXPECT_EQ(site.send("PATCH", path, tus("Upload-Offset: 5\r\n"), "56789").status, 415);
  EXPECT_EQ(site.send("PATCH", path, tus("Content-Type: video/mp4\r\nUpload-Offset: 5\r\n"), "56789").status, 415);
  EXPECT_EQ(site.send("PATCH", path, tus("Content-Type: application/offset+octet-stream\r\n"), "56789").status, 400);
  EXPECT_EQ(site.send("PATCH", path, part_at(4), "4567").status, 409);
  EXPECT_EQ(site.send("PATCH", path, part_at(6), "678").status, 409);
  EXPECT_EQ(site.send("PATCH", path, part_at(5), "56789a").status, 413);
  Raw client(site.port());  // chunked: the length is not known in advance
  client.send(head("PATCH", path, part_at(5, "Transfer-Encoding: chunked\r\n")) + "4\r\n567");
  EXPECT_TRUE(http::server::soon([&] { return std::filesystem::file_size(site.file_of(path)) == 8; }));
  EXPECT_EQ(client.exchange("8\r\n2\r\n9a\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(site.offset_of(path), "5");
  EXPECT_EQ(content_of(site.file_of(path)), "01234");
  EXPECT_EQ(site.send("PATCH", path, part_at(5), "").status, 204);
  EXPECT_EQ(site.send("PATCH", path, part_at(5), "56789").status, 204);
  // A client that missed that response requests it again.
  const auto again = site.send("PATCH", path, part_at(10), "");
  EXPECT_EQ(again.status, 204);
  EXPECT_THAT(again.header("reeltag-job"), HasSubstr("job-"));
  EXPECT_EQ(site.send("PATCH", path, part_at(10), "a").status, 413);
  EXPECT_EQ(content_of(site.file_of(path)), "0123456789");
}

TEST(Tus, CreatesWithBytes) {
  Site site;
  const std::string bytes = bytes_of(50'000);
  const std::string type = "Content-Type: application/offset+octet-stream\r\n";
  auto answer = site.send("POST", "/v1/uploads", tus("Upload-Length: 50000\r\n" + type), bytes);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.header("upload-offset"), "50000");
  EXPECT_THAT(answer.header("reeltag-job"), HasSubstr("job-"));
  EXPECT_TRUE(content_of(site.file_of(answer.header("location"))) == bytes);

  answer = site.send("POST", "/v1/uploads", tus("Upload-Length: 50000\r\n" + type), bytes.substr(0, 20'000));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.header("upload-offset"), "20000");
  EXPECT_EQ(answer.header("reeltag-job"), "");
  EXPECT_EQ(site.send("PATCH", answer.header("location"), part_at(20'000), bytes.substr(20'000)).status, 204);
  EXPECT_TRUE(content_of(site.last().file) == bytes);

  const auto count = [&] { return std::distance(std::filesystem::directory_iterator(site.folder()), {}); };
  ASSERT_EQ(count(), 2);
  EXPECT_EQ(site.send("POST", "/v1/uploads", tus("Upload-Length: 4\r\n"), "1234").status, 415);
  EXPECT_EQ(site.send("POST", "/v1/uploads", tus("Upload-Length: 4\r\n" + type), "12345").status, 413);
  Raw client(site.port());
  EXPECT_EQ(
      client
          .exchange(head("POST", "/v1/uploads", tus("Upload-Length: 4\r\nTransfer-Encoding: chunked\r\n" + type)) +
                    "5\r\n12345\r\n0\r\n\r\n")
          .status,
      413);
  EXPECT_EQ(site.send("POST", "/v1/uploads",
                      tus("Upload-Length: 4\r\nUpload-Checksum: sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\r\n" + type), "1234")
                .status,
            460);
  EXPECT_EQ(count(), 2);
}

TEST(Tus, LearnsTheLengthLater) {
  Site site({.max_bytes = 1000});
  const auto made = site.send("POST", "/v1/uploads", tus("Upload-Defer-Length: 1\r\n"));
  ASSERT_EQ(made.status, 201);
  const auto path = made.header("location");
  auto answer = site.send("HEAD", path, tus());
  EXPECT_EQ(answer.header("upload-defer-length"), "1");
  EXPECT_EQ(answer.header("upload-length"), "");
  EXPECT_EQ(site.send("PATCH", path, part_at(0), "01234").status, 204);
  EXPECT_EQ(site.send("PATCH", path, part_at(5), std::string(996, 'x')).status, 413);
  EXPECT_EQ(site.send("PATCH", path, part_at(5, "Upload-Length: 1001\r\n"), "56789").status, 413);
  EXPECT_EQ(site.send("PATCH", path, part_at(5, "Upload-Length: 4\r\n"), "").status, 400);
  EXPECT_EQ(site.send("PATCH", path, part_at(5, "Upload-Length: x\r\n"), "").status, 400);
  EXPECT_EQ(site.send("PATCH", path, part_at(5, "Upload-Length: 8\r\n"), "56").status, 204);
  answer = site.send("HEAD", path, tus());
  EXPECT_EQ(answer.header("upload-defer-length"), "");
  EXPECT_EQ(answer.header("upload-length"), "8");
  EXPECT_EQ(answer.header("upload-offset"), "7");
  EXPECT_EQ(site.send("PATCH", path, part_at(7, "Upload-Length: 9\r\n"), "7").status, 400);
  answer = site.send("PATCH", path, part_at(7, "Upload-Length: 8\r\n"), "7");
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.header("reeltag-job"), HasSubstr("job-"));

  // The length may be sent after all the bytes.
  const auto other = site.send("POST", "/v1/uploads", tus("Upload-Defer-Length: 1\r\n")).header("location");
  EXPECT_EQ(site.send("PATCH", other, part_at(0), "0123").header("reeltag-job"), "");
  EXPECT_THAT(site.send("PATCH", other, part_at(4, "Upload-Length: 4\r\n"), "").header("reeltag-job"),
              HasSubstr("job-"));
}

// Source of the digests: printf abc | openssl dgst -binary -sha1 | base64, and -sha256.
TEST(Tus, ChecksParts) {
  Site site;
  const auto path = site.create(9);
  const std::string sha1 = "Upload-Checksum: sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\r\n";
  const std::string sha256 = "Upload-Checksum: sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\r\n";
  EXPECT_EQ(site.send("PATCH", path, part_at(0, sha1), "abc").status, 204);
  const auto wrong = site.send("PATCH", path, part_at(3, sha256), "abd");
  EXPECT_EQ(wrong.status, 460);
  EXPECT_EQ(wrong.header("tus-resumable"), "1.0.0");
  EXPECT_EQ(site.offset_of(path), "3");
  EXPECT_EQ(std::filesystem::file_size(site.file_of(path)), 3U);
  EXPECT_EQ(site.send("PATCH", path, part_at(3, "Upload-Checksum: crc32 AAAA\r\n"), "abc").status, 400);
  EXPECT_EQ(site.send("PATCH", path, part_at(3, sha256), "abc").status, 204);
  EXPECT_EQ(site.send("PATCH", path, part_at(6, sha1), "abd").status, 460);  // incomplete: no job
  EXPECT_THAT(site.passed_on(), ElementsAre());
  EXPECT_THAT(site.send("PATCH", path, part_at(6, sha1), "abc").header("reeltag-job"), HasSubstr("job-"));
  EXPECT_EQ(content_of(site.file_of(path)), "abcabcabc");
}

TEST(Tus, EndsUploadsAtTheClientsWish) {
  Site site;
  const auto path = site.create(10);
  site.send("PATCH", path, part_at(0), "01234");
  EXPECT_EQ(site.send("DELETE", path, tus()).status, 204);
  EXPECT_EQ(site.send("HEAD", path, tus()).status, 404);
  EXPECT_EQ(site.send("PATCH", path, part_at(5), "56789").status, 404);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
  // A complete upload has become a job, which continues and removes the bytes at its end.
  const auto whole = site.create(5);
  site.send("PATCH", whole, part_at(0), "01234");
  const std::string id = site.last().id;
  EXPECT_EQ(site.send("DELETE", whole, tus()).status, 204);
  EXPECT_EQ(site.send("HEAD", whole, tus()).status, 404);
  EXPECT_EQ(content_of(site.uploads().find(id).value().file), "01234");
  site.uploads().remove(id);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
  EXPECT_FALSE(site.uploads().find(id));
}

TEST(Tus, AnswersAfterTheJobHasEnded) {
  Site site;
  const auto path = site.create(5, "Upload-Metadata: filename ZGFuY2UubXA0\r\n");
  site.send("PATCH", path, part_at(0), "01234");
  const std::string id = site.last().id;
  site.uploads().remove(id);
  EXPECT_FALSE(std::filesystem::exists(site.file_of(path)));
  EXPECT_FALSE(site.uploads().find(id));
  for (int i = 0; i < 2; ++i) {
    const auto answer = site.send("HEAD", path, tus());
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("upload-offset"), "5");
    EXPECT_EQ(answer.header("reeltag-job"), "job-" + id);
    EXPECT_EQ(answer.header("upload-metadata"), "");  // the client's own data is removed
    EXPECT_EQ(site.send("PATCH", path, part_at(5), "").status, 204);
    EXPECT_EQ(site.send("PATCH", path, part_at(5), "x").status, 413);
    site.uploads().remove(id);  // a second call has no effect
  }
  EXPECT_THAT(site.passed_on(), ElementsAre(Pair(id, 1)));
  EXPECT_EQ(site.send("DELETE", path, tus()).status, 204);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
  site.uploads().remove("nothing");
}

TEST(Tus, TheMethodMayStandInAHeader) {
  Site site;
  const auto path = site.create(5);
  const auto as = [](const char* method) { return "X-HTTP-Method-Override: " + std::string(method) + "\r\n"; };
  EXPECT_EQ(site.send("POST", path, part_at(0, as("PATCH")), "012").status, 204);
  EXPECT_EQ(site.send("POST", path, tus(as("HEAD"))).header("upload-offset"), "3");
  EXPECT_EQ(site.send("POST", "/v1/uploads", as("OPTIONS")).header("tus-version"), "1.0.0");
  EXPECT_EQ(site.send("POST", path, tus(as("PUT"))).status, 405);
  for (const char* safe : {"OPTIONS", "HEAD"}) EXPECT_NE(site.send(safe, path, tus(as("DELETE"))).status, 404);
  EXPECT_EQ(site.send("HEAD", path, tus()).header("upload-offset"), "3");
  EXPECT_EQ(site.send("PATCH", path, tus(as("DELETE"))).status, 204);
  EXPECT_EQ(site.send("HEAD", path, tus()).status, 404);
}

TEST(Tus, TheSameKeyAndDescriptionAreOneUpload) {
  Site site;
  const auto create = [&](const std::string& more, const std::string& owner = "me", const std::string& body = "") {
    return site.send("POST", "/v1/uploads", tus("Idempotency-Key: k\r\n" + more), body, owner);
  };
  const std::string five = "Upload-Length: 5\r\nUpload-Metadata: filename ZGFuY2UubXA0\r\n";
  const auto first = create(five);
  const auto path = first.header("location");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(site.send("PATCH", path, part_at(0), "012").status, 204);
  const auto again = create(five);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.header("location"), path);
  EXPECT_EQ(again.header("upload-offset"), "3");
  EXPECT_EQ(create("Upload-Length: 6\r\nUpload-Metadata: filename ZGFuY2UubXA0\r\n").status, 422);
  EXPECT_EQ(create("Upload-Length: 5\r\n").status, 422);
  EXPECT_EQ(create("Upload-Defer-Length: 1\r\nUpload-Metadata: filename ZGFuY2UubXA0\r\n").status, 422);
  EXPECT_NE(create(five, "you").header("location"), path);
  EXPECT_NE(site.create(5, "Upload-Metadata: filename ZGFuY2UubXA0\r\n"), path);  // no key
  // A repeated creation that brings bytes does not write them twice.
  const auto with_bytes = create(five + "Content-Type: application/offset+octet-stream\r\n", "me", "01234");
  EXPECT_EQ(with_bytes.header("location"), path);
  EXPECT_EQ(with_bytes.header("upload-offset"), "3");
  EXPECT_EQ(site.send("PATCH", path, part_at(3), "34").status, 204);
  EXPECT_FALSE(create(five).header("reeltag-job").empty());
  site.send("DELETE", path, tus());
  EXPECT_NE(create(five).header("location"), path);
}

TEST(Tus, ForgetsUnfinishedUploads) {
  Site site({.keep_hours = 3.0 / 3600});
  const auto unfinished = site.create(10);
  const auto whole = site.create(5), released = site.create(5), killed = site.create(5);
  for (const auto& path : {whole, killed}) site.send("PATCH", path, part_at(0), "01234");
  site.send("PATCH", released, part_at(0), "01234");
  site.uploads().remove(released.substr(released.rfind('/') + 1));
  const auto has_ended = [&](const std::string& job) { return job == "job-" + killed.substr(killed.rfind('/') + 1); };
  EXPECT_EQ(site.uploads().expire(has_ended), 0);
  EXPECT_EQ(content_of(site.file_of(killed)), "01234");
  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  EXPECT_EQ(site.send("HEAD", unfinished, tus()).status, 410);
  EXPECT_EQ(site.send("PATCH", unfinished, part_at(0), "0").status, 410);
  EXPECT_EQ(site.uploads().expire(has_ended), 1);
  EXPECT_EQ(site.send("HEAD", unfinished, tus()).status, 404);
  EXPECT_EQ(site.send("HEAD", released, tus()).status, 404);
  EXPECT_FALSE(std::filesystem::exists(site.folder_of(unfinished)));
  EXPECT_FALSE(std::filesystem::exists(site.folder_of(killed)));
  EXPECT_EQ(content_of(site.file_of(whole)), "01234");  // its job needs it
  EXPECT_EQ(site.send("HEAD", whole, tus()).status, 200);
}

TEST(Tus, LimitsWhatOneOwnerLeavesUnfinished) {
  Site site({.max_open = 2});
  const auto first = site.create(5);
  site.create(5);
  const auto refused = site.send("POST", "/v1/uploads", tus("Upload-Length: 5\r\n"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_EQ(site.send("POST", "/v1/videos", "Content-Type: video/mp4\r\n", "01234").status, 429);
  site.create(5, "", "you");
  site.send("PATCH", first, part_at(0), "01234");
  site.create(5);
  EXPECT_EQ(site.send("POST", "/v1/uploads", tus("Upload-Length: 5\r\n")).status, 429);
}

TEST(Tus, LeavesRoomOnTheDisk) {
  Site site({.min_free_bytes = 1'000'000'000'000'000});
  const auto refused = site.send("POST", "/v1/uploads", tus("Upload-Length: 5\r\n"));
  EXPECT_EQ(refused.status, 507);
  EXPECT_EQ(refused.header("tus-resumable"), "1.0.0");
  EXPECT_EQ(site.send("POST", "/v1/videos", "Content-Type: video/mp4\r\n", "01234").status, 507);
  EXPECT_TRUE(std::filesystem::is_empty(site.folder()));
}

TEST(Tus, ShowsItsHeadersToScriptsOfOtherSites) {
  Site site;
  const auto path = site.create(5);
  for (const auto& answer : {site.send("HEAD", path, tus("Origin: http://other\r\n")),
                             site.send("PATCH", path, part_at(0, "Origin: http://other\r\n"), "01"),
                             site.send("PATCH", path, part_at(0, "Origin: http://other\r\n"), "01"),
                             site.send("OPTIONS", path, "Origin: http://other\r\n")}) {
    const auto shown = answer.header("access-control-expose-headers");
    for (const char* name : {"Location", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires",
                             "Tus-Resumable", "Reeltag-Job"})
      EXPECT_THAT(shown, HasSubstr(name)) << answer.status;
    EXPECT_EQ(answer.header("access-control-allow-origin"), "");
  }
  EXPECT_EQ(site.send("HEAD", path, tus()).header("access-control-expose-headers"), "");
}

TEST(Tus, KeepsAWholeUploadThatCannotBePassedOnYet) {
  Site site;
  site.refuses_jobs = true;
  const auto path = site.create(5);
  const auto answer = site.send("PATCH", path, part_at(0), "01234");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("retry-after"), "");
  EXPECT_EQ(answer.header("tus-resumable"), "1.0.0");
  EXPECT_EQ(site.send("HEAD", path, tus()).status, 503);
  site.refuses_jobs = false;
  const auto later = site.send("HEAD", path, tus());
  EXPECT_EQ(later.header("upload-offset"), "5");
  EXPECT_THAT(later.header("reeltag-job"), HasSubstr("job-"));
}

}  // namespace
}  // namespace reeltag::serve

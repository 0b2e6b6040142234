#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "test_server.hpp"

namespace reeltag::http {
namespace {

using testing::HasSubstr;

TEST(Send, PostsABodyWithItsHeadersAndGivesTheWholeAnswer) {
  std::string asked;
  const Server server([&](const std::string& request) {
    asked = request;
    return ok("{}", "Retry-After: 7\r\n");
  });
  const auto got =
      send({.url = at("127.0.0.2", server, "/v2?x=1"), .headers = {"Authorization: Bearer t"}, .body = "a=b"},
           with_second());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "{}");
  EXPECT_EQ(got->headers.at("retry-after"), "7");
  EXPECT_THAT(asked, testing::StartsWith("POST /v2?x=1 HTTP/"));
  EXPECT_THAT(asked, HasSubstr("Authorization: Bearer t\r\n"));
  EXPECT_THAT(asked, testing::EndsWith("\r\n\r\na=b"));
  EXPECT_THAT(asked, testing::Not(HasSubstr("Expect:")));
}

TEST(Send, AnyStatusIsAnAnswer) {
  const Server server([](const std::string& request) {
    return "HTTP/1.1 " + request.substr(5, 3) + " X\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage";
  });
  for (const int status : {400, 401, 429, 500}) {
    const auto got = send({.url = at("127.0.0.2", server, "/" + std::to_string(status))}, with_second());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, status);
    EXPECT_EQ(got->body, "page");
  }
}

TEST(Send, UsesTheMethodThatIsAskedFor) {
  std::string asked;
  const Server server([&](const std::string& request) {
    asked = request;
    return std::string("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  });
  const auto got = send({.url = at("127.0.0.2", server, "/thing"), .method = "DELETE"}, with_second());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 204);
  EXPECT_THAT(asked, testing::StartsWith("DELETE /thing HTTP/"));
}

TEST(Send, FollowsNoRedirectAndKeepsToPublicAddressesAndItsBounds) {
  const Server server([](const std::string& request) {
    return request.starts_with("GET /far") ? redirect(302, "/elsewhere") : ok(std::string(5000, 'x'));
  });
  const auto far =
      send({.url = at("127.0.0.2", server, "/far"), .headers = {"Authorization: Bearer t"}}, with_second());
  ASSERT_TRUE(far);
  EXPECT_EQ(far->status, 302);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(send({.url = at("127.0.0.1", server)}, with_second()).error().code, Code::permission_denied);
  EXPECT_EQ(send({.url = at("127.0.0.2", server)}, with_second(), 4999).error().code, Code::too_large);
  EXPECT_EQ(send({.url = "ftp://127.0.0.2/"}, with_second()).error().code, Code::unsupported);
}

TEST(DownloadToFile, TellsTheStatus) {
  const Server server([](const std::string&) {
    return std::string("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  const TemporaryFolder folder;
  int status = 1;
  EXPECT_FALSE(download_to_file(at("127.0.0.2", server), folder.path() / "f", with_second(), {}, &status));
  EXPECT_EQ(status, 410);
  EXPECT_FALSE(download_to_file("http://127.0.0.1:1/", folder.path() / "f", with_second(), {}, &status));
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace reeltag::http

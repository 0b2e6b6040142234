// Uses a local server on loopback. 127.0.0.2 is allowed where a test needs a response.
#include "reeltag/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_server.hpp"

namespace reeltag::http {
namespace {

using testing::HasSubstr;

struct Got {
  Result<Download> result;
  std::string body;
};
Got get(const std::string& url, const ClientOptions& options = {}) {
  Got got{fail(Code::internal, ""), ""};
  got.result = download(url, [&](std::string_view part) { return got.body += part, true; }, options);
  return got;
}

// Notations for an address of this machine.
const char* const kWays[] = {"127.0.0.1",
                             "localhost",
                             "localhost.",
                             "LOCALHOST",
                             "127.1",
                             "127.0.1",
                             "2130706433",
                             "0x7f000001",
                             "0x7f.1",
                             "017700000001",
                             "0177.0.0.1",
                             "127.127.127.127",
                             "0.0.0.0",
                             "0",
                             "[::1]",
                             "[::]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[0:0:0:0:0:0:0:1]",
                             "[64:ff9b::7f00:1]",
                             "[::127.0.0.1]",
                             "127.0.0.1.",
                             "sub.localhost",
                             "%31%32%37.0.0.1",
                             "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1"};

TEST(Download, ReachesThisMachineByNoSpelling) {
  const Server server([](const std::string&) { return ok("secret"); });
  for (const char* way : kWays) {
    const Got got = get(at(way, server), quick());
    ASSERT_FALSE(got.result) << way;
    EXPECT_TRUE(got.body.empty()) << way;
    EXPECT_GT(got.result.error().message.size(), 20U) << way;
  }
  EXPECT_EQ(server.connections(), 0);
  const auto plain = get(at("127.0.0.1", server)).result.error();
  EXPECT_EQ(plain.code, Code::permission_denied);
  EXPECT_THAT(plain.message, HasSubstr("127.0.0.1, which is not a public address"));
}

TEST(Download, ReachesThisMachineByNoTrickInTheUrl) {
  const Server server([](const std::string&) { return ok("secret"); });
  const std::string port = std::to_string(server.port());
  const std::vector<std::string> urls{"http://example.com@127.0.0.1:" + port + "/",
                                      "http://user:pass@127.0.0.1:" + port + "/",
                                      "http://127.0.0.1:" + port + "#@example.com/",
                                      "http://127.0.0.1:" + port + "\\@example.com/",
                                      "http://[::1%25lo]:" + port + "/",
                                      "http:/127.0.0.1:" + port + "/",
                                      "http:127.0.0.1:" + port,
                                      "http:///127.0.0.1:" + port + "/",
                                      "ftp://127.0.0.1:" + port + "/",
                                      "gopher://127.0.0.1:" + port + "/_GET",
                                      "file:///etc/passwd",
                                      "dict://127.0.0.1:" + port + "/",
                                      "http://127.0.0.1:" + port + "/\r\nHost: x",
                                      "http://"};
  for (const auto& url : urls) {
    const Got got = get(url, quick());
    EXPECT_FALSE(got.result) << url;
    EXPECT_TRUE(got.body.empty()) << url;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(Download, ReachesThisMachineByNoRedirect) {
  int port = 0;
  std::string target;
  int status = 302;
  const Server server([&](const std::string&) { return redirect(status, target); });
  port = server.port();
  int asked = 0;
  for (const char* way : kWays) {
    for (const int code : {301, 302, 303, 307, 308}) {
      status = code;
      target = "http://" + std::string(way) + ":" + std::to_string(port) + "/";
      EXPECT_FALSE(get(at("127.0.0.2", server), with_second()).result) << way << " by " << code;
      EXPECT_EQ(server.connections(), ++asked) << way << " by " << code;
    }
  }
  for (const char* elsewhere : {"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"}) {
    target = elsewhere;
    EXPECT_EQ(get(at("127.0.0.2", server), with_second()).result.error().code, Code::unsupported) << elsewhere;
  }
}

TEST(Download, FetchesWhatIsAllowed) {
  const Server server([](const std::string& request) {
    return request.starts_with("GET /a ") ? redirect(302, "/b") : ok("body", "Content-Type: video/mp4\r\n");
  });
  const Got got = get(at("127.0.0.2", server, "/a"), with_second());
  ASSERT_TRUE(got.result) << got.result.error().message;
  EXPECT_EQ(got.body, "body");
  EXPECT_EQ(got.result->bytes, 4);
  EXPECT_EQ(got.result->content_type, "video/mp4");
  EXPECT_TRUE(got.result->url.ends_with("/b"));
  ClientOptions all = quick();
  all.allow_private = true;
  EXPECT_TRUE(get(at("localhost", server), all).result);
  EXPECT_FALSE(get(at("127.0.0.1", server), with_second()).result);
}

TEST(Download, IgnoresTheEnvironmentsProxy) {
  const Server server([](const std::string&) { return ok("by proxy"); });
  const std::string proxy = at("127.0.0.1", server);
  ::setenv("http_proxy", proxy.c_str(), 1);
  EXPECT_FALSE(get("http://127.0.0.1:1/", quick()).result);
  ::unsetenv("http_proxy");
  EXPECT_EQ(server.connections(), 0);
}

TEST(Download, GoesThroughTheProxyThatItIsGiven) {
  std::string asked;
  const Server proxy([&](const std::string& request) {
    asked = request;
    return ok("by proxy");
  });
  ClientOptions options = quick();
  options.proxy = at("127.0.0.1", proxy);
  const auto refused = get("http://site.example/clip", options);
  ASSERT_FALSE(refused.result);
  EXPECT_EQ(refused.result.error().code, Code::permission_denied);
  options.allow = {"127.0.0.1"};
  options.headers = {"Referer: https://www.example/"};
  EXPECT_EQ(get("http://site.example/clip", options).body, "by proxy");
  EXPECT_THAT(asked, testing::StartsWith("GET http://site.example/clip"));
  EXPECT_THAT(asked, testing::HasSubstr("Referer: https://www.example/\r\n"));
  EXPECT_EQ(proxy.connections(), 1);
  options.proxy = at("127.0.0.2", proxy);
  options.allow = {"127.0.0.2"};
  for (const auto* way : kWays) EXPECT_FALSE(get(at(way, proxy), options).result) << way;
  EXPECT_FALSE(get("http://[fe80::1]/", options).result);
  EXPECT_FALSE(get("http://192.168.1.1:8080/x", options).result);
  EXPECT_EQ(proxy.connections(), 1);
}

TEST(Download, EndsWhereItIsTooLarge) {
  const Server announced([](const std::string&) { return ok(std::string(5000, 'x')); });
  const Server streamed(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(5000, 'x'); });
  ClientOptions options = with_second();
  options.max_bytes = 4999;
  for (const Server* server : {&announced, &streamed}) {
    const Got got = get(at("127.0.0.2", *server), options);
    EXPECT_EQ(got.result.error().code, Code::too_large);
    EXPECT_THAT(got.result.error().message, HasSubstr("http.max_bytes"));
    EXPECT_LE(got.body.size(), 4999U);
  }
  options.max_bytes = 5000;
  EXPECT_TRUE(get(at("127.0.0.2", announced), options).result);
}

TEST(Download, EndsAtItsDeadline) {
  const Server server(
      [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n..."); });
  ClientOptions options = with_second();
  options.timeout = 0.3;
  EXPECT_EQ(get(at("127.0.0.2", server), options).result.error().code, Code::timeout);
}

TEST(Download, CirclesAreLeft) {
  const Server server([](const std::string&) { return redirect(302, "/again"); });
  EXPECT_FALSE(get(at("127.0.0.2", server), with_second()).result);
  EXPECT_EQ(server.connections(), 6);  // the first and five redirects
}

TEST(Download, AnErrorsPageIsNoBody) {
  const Server server([](const std::string& request) {
    const std::string status = request.substr(5, 3);
    return "HTTP/1.1 " + status + " X\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage";
  });
  const std::pair<const char*, Code> cases[] = {
      {"404", Code::not_found}, {"403", Code::permission_denied}, {"500", Code::unavailable}};
  for (const auto& [status, code] : cases) {
    const Got got = get(at("127.0.0.2", server, std::string("/") + status), with_second());
    EXPECT_EQ(got.result.error().code, code);
    EXPECT_THAT(got.result.error().message, HasSubstr(status));
    EXPECT_TRUE(got.body.empty());
  }
}

TEST(Download, ACutAnswerIsAnError) {
  const Server server(
      [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"); });
  EXPECT_EQ(get(at("127.0.0.2", server), with_second()).result.error().code, Code::unavailable);
}

TEST(IsUrl, LooksAtTheScheme) {
  EXPECT_TRUE(is_url("http://a/b"));
  EXPECT_TRUE(is_url("HTTPS://a"));
  EXPECT_FALSE(is_url("http.mp4"));
  EXPECT_FALSE(is_url("ftp://a"));
  EXPECT_FALSE(is_url("/http://a"));
}

}  // namespace
}  // namespace reeltag::http

// Tests behavior that every client sees: methods, connections, responses.
#include "reeltag/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/http.hpp"
#include "server_fixture.hpp"

namespace reeltag::http::server {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

Router echo() {
  Router router;
  router.get("/hello", [](const Request&) { return text("hello"); });
  router.get("/id/{id}/x", [](const Request& q) { return text(std::string(q.parameter("id"))); });
  router.post("/echo", [](const Request& q) { return text(q.body); });
  router.get("/etag", [](const Request&) { return text("body").with("ETag", "\"v1\""); });
  router.get("/facts", [](const Request& q) {
    return json({{"query", q.query_value("a").value_or("none")},
                 {"cookie", q.cookie("c")},
                 {"peer", q.peer},
                 {"route", q.route},
                 {"header", q.header("x-some")},
                 {"id", q.id}});
  });
  return router;
}

TEST(HttpServer, AnswersTheModulesOwnClient) {
  Running server(echo());
  ClientOptions options;
  options.allow_private = true;
  const auto got = send({.url = server.url("/hello")}, options);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "hello");
  const auto echoed = send({.url = server.url("/echo"), .body = std::string(100'000, 'x')}, options);
  ASSERT_TRUE(echoed);
  EXPECT_EQ(echoed->body, std::string(100'000, 'x'));
}

TEST(HttpServer, GivesTheHandlerWhatTheRequestSaid) {
  Running server(echo());
  Raw client(server.port());
  auto facts = client.exchange(get("/facts?a=b%20c+d&a=2",
                                   "Cookie: x=1; c=\"two\"\r\nX-Some: 1\r\nx-some: 2\r\n"
                                   "X-Request-Id: from-client_1.2\r\n"));
  const auto body = nlohmann::json::parse(facts.body);
  EXPECT_EQ(body["query"], "b c d");
  EXPECT_EQ(body["cookie"], "two");
  EXPECT_EQ(body["peer"], "127.0.0.1");
  EXPECT_EQ(body["route"], "/facts");
  EXPECT_EQ(body["header"], "1, 2");
  EXPECT_EQ(body["id"], "from-client_1.2");
  EXPECT_EQ(facts.header("x-request-id"), "from-client_1.2");
  EXPECT_EQ(client.exchange(get("/id/a%2Fb%20c/x")).body, "a/b c");
  // Replaces an id that could break a log or a page.
  const auto other = client.exchange(get("/facts", "X-Request-Id: <script>\r\n"));
  EXPECT_THAT(other.header("x-request-id"), MatchesRegex("[0-9a-f]{16}"));
}

TEST(HttpServer, KeepsConnectionsAndAnswersPipelinesInOrder) {
  Running server(echo());
  Raw client(server.port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += get("/id/" + std::to_string(i) + "/x");
  client.send(all + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
              get("/hello", "Connection: close\r\n"));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.answer().body, std::to_string(i));
  EXPECT_EQ(client.answer().body, "abc");
  const auto last = client.answer();
  EXPECT_EQ(last.body, "hello");
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, Speaks1_0) {
  Running server(echo());
  Raw once(server.port());
  EXPECT_EQ(once.exchange("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
  EXPECT_TRUE(once.ends());
  Raw kept(server.port());
  EXPECT_EQ(kept.exchange("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("connection"), "keep-alive");
  EXPECT_EQ(kept.exchange("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
}

TEST(HttpServer, ReadsChunkedBodies) {
  Running server(echo());
  Raw client(server.port());
  const auto got = client.exchange(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;note=1\r\nabc\r\n1\r\nd\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(got.body, "abcd");
  EXPECT_EQ(client.exchange(get("/hello")).body, "hello");
}

TEST(HttpServer, MethodsThatAPathLacks) {
  Router router = echo();
  router.add("DELETE", "/hello", [](const Request&) { return Response{.status = 204}; });
  Running server(std::move(router));
  Raw client(server.port());
  const auto refused = client.exchange("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("allow"), "GET, DELETE, HEAD, OPTIONS");
  const auto options = client.exchange("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("allow"), "GET, DELETE, HEAD, OPTIONS");
  EXPECT_EQ(client.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(client.exchange("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(client.exchange(get("/nothing")).status, 404);
  EXPECT_EQ(client.exchange("OPTIONS /nothing HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
}

TEST(HttpServer, HeadIsGetWithoutTheBody) {
  Running server(echo());
  Raw client(server.port());
  const auto head = client.exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "5");
  EXPECT_EQ(client.exchange(get("/hello")).body, "hello");  // no bytes were left over
}

TEST(HttpServer, NotModified) {
  Running server(echo());
  Raw client(server.port());
  EXPECT_EQ(client.exchange(get("/etag")).header("etag"), "\"v1\"");
  for (const char* tag : {"\"v1\"", "\"v0\", W/\"v1\"", "*"}) {
    const auto same = client.exchange(get("/etag", std::string("If-None-Match: ") + tag + "\r\n"));
    EXPECT_EQ(same.status, 304) << tag;
    EXPECT_EQ(same.header("etag"), "\"v1\"");
  }
  EXPECT_EQ(client.exchange(get("/etag", "If-None-Match: \"v2\"\r\n")).body, "body");
}

TEST(HttpServer, FilesAndTheirRanges) {
  const TemporaryFolder folder;
  std::string bytes(700'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  write_file(folder.path() / "a.mp4", bytes);
  Router router;
  router.get("/file/{name}", [&](const Request& q) {
    auto found = file(folder.path() / std::string(q.parameter("name")), "video/mp4");
    return found ? *found : problem(404, "not_found", "no such video");
  });
  Running server(std::move(router));
  Raw client(server.port());
  const auto whole = client.exchange(get("/file/a.mp4"));
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.header("accept-ranges"), "bytes");
  EXPECT_TRUE(whole.body == bytes);
  struct Case {
    const char* range;
    std::size_t first, count;
  };
  for (const auto& [range, first, count] :
       {Case{"0-0", 0, 1}, Case{"5-600004", 5, 600'000}, Case{"699999-", 699'999, 1}, Case{"-10", 699'990, 10},
        Case{"699990-9999999", 699'990, 10}, Case{"-9999999", 0, 700'000}}) {
    const auto part = client.exchange(get("/file/a.mp4", std::string("Range: bytes=") + range + "\r\n"));
    EXPECT_EQ(part.status, 206) << range;
    EXPECT_TRUE(part.body == bytes.substr(first, count)) << range;
    EXPECT_EQ(part.header("content-range"),
              "bytes " + std::to_string(first) + '-' + std::to_string(first + count - 1) + "/700000");
  }
  for (const char* range : {"700000-", "-0", "5-4", "x-", "", "-", "1", "--1", "99999999999999999999-"}) {
    const auto refused = client.exchange(get("/file/a.mp4", std::string("Range: bytes=") + range + "\r\n"));
    EXPECT_EQ(refused.status, 416) << range;
    EXPECT_EQ(refused.header("content-range"), "bytes */700000");
    EXPECT_EQ(refused.header("content-type"), "application/problem+json");
  }
  for (const char* ignored :
       {"Range: bytes=0-1,5-6\r\n", "Range: lines=1-2\r\n", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n",
        "Range: bytes=0-1\r\nIf-Range: W/\"a\"\r\n"})
    EXPECT_EQ(client.exchange(get("/file/a.mp4", ignored)).status, 200) << ignored;
  const auto again = [&](const std::string& name, const std::string& validator) {
    return client.exchange(get("/file/a.mp4", "Range: bytes=0-1\r\n" + name + ": " + validator + "\r\n")).status;
  };
  EXPECT_EQ(again("If-Range", whole.header("etag")), 206);
  EXPECT_EQ(again("If-Range", whole.header("last-modified")), 206);
  EXPECT_EQ(again("If-None-Match", whole.header("etag")), 304);
  const auto head = client.exchange("HEAD /file/a.mp4 HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(head.header("content-length"), "700000");
  EXPECT_EQ(client.exchange(get("/file/none.mp4")).status, 404);
  EXPECT_EQ(client.exchange(get("/file/..")).status, 400);
}

TEST(HttpServer, ChunksAreSentUntilTheirEnd) {
  Router router;
  router.get("/numbers", [](const Request&) {
    return chunks([n = 0]() mutable { return n < 1000 ? std::to_string(n++) + '\n' : std::string(); }, "text/plain");
  });
  router.get("/broken", [](const Request&) {
    return chunks([n = 0]() mutable { return n++ < 1 ? std::string("one") : throw std::runtime_error("gone"); },
                  "text/plain");
  });
  Running server(std::move(router));
  Raw client(server.port());
  const auto numbers = client.exchange(get("/numbers"));
  EXPECT_TRUE(numbers.body.starts_with("0\n1\n2\n"));
  EXPECT_TRUE(numbers.body.ends_with("\n999\n"));
  client.send(get("/broken"));
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(client.text().ends_with("3\r\none\r\n"));  // no last chunk: the client sees that it was cut
  Raw old(server.port());
  old.send("GET /numbers HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends());
  EXPECT_TRUE(old.text().ends_with("\n998\n999\n"));  // the end of the connection ends the body
}

TEST(HttpServer, ProblemsNameTheRequestAndNothingOfOurInside) {
  Router router;
  router.get("/throws", [](const Request&) -> Response { throw std::runtime_error("secret /etc/reeltag"); });
  router.get("/lost", [](const Request&) -> Response { throw Exception(Code::unavailable, "secret host"); });
  router.get("/code", [](const Request&) { return problem({Code::not_a_video, "no video stream"}); });
  router.get("/split", [](const Request&) { return text("x").with("X-A", "b\r\nSet-Cookie: c=d"); });
  router.get("/length", [](const Request&) { return text("x").with("content-Length", "5"); });
  router.get("/odd", [](const Request&) -> Response { throw 5; });
  Running server(std::move(router));
  Raw client(server.port());
  for (const auto& [path, status] :
       {std::pair{"/throws", 500}, {"/lost", 503}, {"/code", 415}, {"/split", 500}, {"/length", 500}, {"/odd", 500}}) {
    const auto got = client.exchange(get(path, "X-Request-Id: r-1\r\n"));
    EXPECT_EQ(got.status, status) << path;
    EXPECT_EQ(got.header("content-type"), "application/problem+json");
    EXPECT_EQ(got.header("set-cookie"), "");
    EXPECT_THAT(got.body, Not(HasSubstr("secret")));
    const auto body = nlohmann::json::parse(got.body);
    EXPECT_EQ(body["status"], status);
    EXPECT_EQ(body["request"], "r-1");
    for (const char* key : {"type", "title", "detail", "code"}) EXPECT_TRUE(body[key].is_string()) << key;
  }
}

TEST(HttpServer, LogsAndCountsRequestsByRoute) {
  Running server(echo());
  log::configure({.level = log::Level::info, .json = true});
  ::testing::internal::CaptureStderr();
  Raw client(server.port());
  client.exchange(get("/id/private/x?token=hidden", "X-Request-Id: r-2\r\nAuthorization: Bearer hidden\r\n"));
  client.exchange("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto counted = [&](const char* route, const char* method, const char* code) {
    return server.registry()
        .counter("reeltag_http_requests_total", "", {{"route", route}, {"method", method}, {"code", code}})
        .value();
  };
  EXPECT_TRUE(soon([&] { return counted("none", "other", "405") == 1; }));
  EXPECT_EQ(counted("/id/{id}/x", "GET", "200"), 1);
  server.stop();
  const std::string text = ::testing::internal::GetCapturedStderr();
  log::configure({});
  EXPECT_THAT(text, Not(HasSubstr("hidden")));
  EXPECT_THAT(text, Not(HasSubstr("private")));
  EXPECT_THAT(text, HasSubstr("\"event\":\"http_request\",\"method\":\"GET\",\"route\":\"/id/{id}/x\",\"status\":200,"
                              "\"bytes\":7,\"milliseconds\":"));
  EXPECT_THAT(text, HasSubstr("\"request\":\"r-2\""));
  const std::string metrics = server.registry().text(metrics::Format::prometheus);
  EXPECT_THAT(metrics, HasSubstr("reeltag_http_request_duration_seconds_count{route=\"/id/{id}/x\"} 1"));
}

TEST(HttpServer, MetricsComeInTheFormatThatWasAskedFor) {
  Router router;
  metrics::Registry own;
  own.counter("a_total", "A").add();
  router.get("/metrics", [&](const Request& q) { return metrics_response(q, own); });
  Running server(std::move(router));
  Raw client(server.port());
  EXPECT_THAT(client.exchange(get("/metrics")).header("content-type"), HasSubstr("version=0.0.4"));
  const auto open =
      client.exchange(get("/metrics", "Accept: application/openmetrics-text; version=1.0.0,*/*;q=0.1\r\n"));
  EXPECT_THAT(open.header("content-type"), HasSubstr("application/openmetrics-text"));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

TEST(HttpServer, AnAddressThatIsTakenIsAnError) {
  Running first(echo());
  metrics::Registry registry;
  Options options;
  options.port = first.port();
  try {
    Server second(options, registry);
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::unavailable);
    EXPECT_THAT(e.what(), HasSubstr(std::to_string(first.port())));
  }
  options.host = "nowhere.example";
  EXPECT_THROW(Server(options, registry), Exception);
}

}  // namespace
}  // namespace reeltag::http::server

// Tests that a client cannot block, exhaust or confuse the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <nlohmann/json.hpp>

#include "server_fixture.hpp"

namespace reeltag::http::server {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// Blocks handlers until the test opens it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    change_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    change_.wait(lock, [this] { return open_; });
  }
  int waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable change_;
  bool open_ = false;
  int waiting_ = 0;
};

Router plain() {
  Router router;
  router.get("/", [](const Request&) { return text("here"); });
  router.post("/echo", [](const Request& q) { return text(q.body); }, {.max_body = 10});
  return router;
}

std::string post(const std::string& headers, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(HttpLimits, DripFedHeadsHoldUpNobody) {
  Running server(plain(), {.header_timeout = 1.0});
  std::vector<Raw> drips;
  for (int i = 0; i < 64; ++i) drips.emplace_back(server.port()).send("GET / HTTP/1.1\r\nHost: a\r\nX-");
  const auto begin = std::chrono::steady_clock::now();
  std::jthread dripping([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (auto& drip : drips) drip.send("a");
      std::this_thread::sleep_for(50ms);
    }
  });
  double slowest = 0;
  while (seconds_since(begin) < 0.7) {
    const auto asked = std::chrono::steady_clock::now();
    Raw good(server.port());
    ASSERT_EQ(good.exchange(get("/")).status, 200);
    slowest = std::max(slowest, seconds_since(asked));
  }
  EXPECT_LT(slowest, 0.5);
  for (auto& drip : drips) EXPECT_EQ(drip.answer().status, 408);  // single bytes do not extend the deadline
  EXPECT_LT(seconds_since(begin), 4.0);
}

TEST(HttpLimits, IdleConnectionsClose) {
  Running server(plain(), {.header_timeout = 0.2, .idle_timeout = 0.4});
  Raw silent(server.port());
  EXPECT_TRUE(silent.ends(5s));
  EXPECT_EQ(silent.text(), "");
  Raw kept(server.port());
  EXPECT_EQ(kept.exchange(get("/")).status, 200);
  std::this_thread::sleep_for(250ms);  // longer than the head's timeout, shorter than the idle timeout
  EXPECT_EQ(kept.exchange(get("/")).status, 200);
  EXPECT_TRUE(kept.ends(5s));
}

TEST(HttpLimits, AStalledBodyEnds) {
  Running server(plain(), {.stall_timeout = 0.3});
  Raw client(server.port());
  EXPECT_EQ(client.exchange(post("Content-Length: 9\r\n", "half")).status, 408);
  EXPECT_TRUE(client.ends());
}

TEST(HttpLimits, ABodyThatTricklesEnds) {
  Running server(plain(), {.stall_timeout = 5, .min_rate = 1000, .min_rate_after = 0.3});
  Raw client(server.port());
  client.send(post("Content-Length: 10\r\n"));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 9 && client.send("x"); ++i) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_LT(seconds_since(begin), 3);
}

TEST(HttpLimits, AReaderThatStallsIsCutOff) {
  Router router;
  router.get("/big", [](const Request&) { return text(std::string(64 << 20, 'x')); });
  Running server(std::move(router), {.stall_timeout = 0.3});
  Raw client(server.port());
  client.send(get("/big"));
  std::this_thread::sleep_for(1s);
  EXPECT_TRUE(soon([&] {
    const auto text = server.registry().text(metrics::Format::prometheus);
    return text.find("reeltag_http_requests_total{route=\"/big\"") != std::string::npos;
  }));
}

TEST(HttpLimits, TooLargeIsAnAnswerAndNoCutConnection) {
  Running server(plain());
  {  // a declared length, but the client sends the whole body anyway
    Raw client(server.port());
    const std::string body(5 << 20, 'x');
    client.send(post("Content-Length: " + std::to_string(body.size()) + "\r\n", body));
    const auto got = client.answer();
    EXPECT_EQ(got.status, 413);
    EXPECT_EQ(nlohmann::json::parse(got.body)["code"], "too_large");
    EXPECT_EQ(got.header("connection"), "close");
    EXPECT_TRUE(client.ends());
  }
  {  // detected while receiving
    Raw client(server.port());
    EXPECT_EQ(client.exchange(post("Transfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n")).status,
              413);
    EXPECT_TRUE(client.ends());
  }
  Raw fits(server.port());
  EXPECT_EQ(fits.exchange(post("Transfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n4\r\nghij\r\n0\r\n\r\n")).body,
            "abcdefghij");
  EXPECT_EQ(fits.exchange(post("Content-Length: 10\r\n", "abcdefghij")).body, "abcdefghij");
}

TEST(HttpLimits, ContinueComesAfterTheHeadWasAccepted) {
  Router router = plain();
  router.check([](const Request& q) -> std::optional<Response> {
    if (q.header("authorization") == "let me in") return std::nullopt;
    return problem(401, "unauthorized", "who is there?").with("WWW-Authenticate", "Bearer");
  });
  Running server(std::move(router));
  const std::string me = "Authorization: let me in\r\nExpect: 100-continue\r\n";
  {
    Raw client(server.port());
    EXPECT_EQ(client.exchange(post("Expect: 100-continue\r\nContent-Length: 4\r\n")).status, 401);
  }
  {
    Raw client(server.port());
    EXPECT_EQ(client.exchange(post(me + "Content-Length: 11\r\n")).status, 413);
    EXPECT_TRUE(client.ends());
  }
  {
    Raw client(server.port());
    EXPECT_EQ(client.exchange(post("Authorization: let me in\r\nExpect: cake\r\nContent-Length: 1\r\n")).status, 417);
  }
  for (const auto* coding : {"gzip", "GZIP", "br", "deflate, gzip", "zstd"}) {
    Raw client(server.port());
    const auto refused = client.exchange(
        post("Authorization: let me in\r\nContent-Encoding: " + std::string(coding) + "\r\nContent-Length: 1\r\n") +
        "x");
    EXPECT_EQ(refused.status, 415) << coding;
    EXPECT_NE(refused.body.find("Content-Encoding"), std::string::npos) << coding;
  }
  {
    Raw client(server.port());
    const auto read =
        client.exchange(post("Authorization: let me in\r\nContent-Encoding: Identity\r\nContent-Length: 1\r\n") + "x");
    EXPECT_EQ(read.body, "x");
  }
  Raw client(server.port());
  EXPECT_EQ(client.exchange(post(me + "Content-Length: 4\r\n")).status, 100);
  EXPECT_EQ(client.exchange("body").body, "body");
  EXPECT_EQ(client.exchange(post(me + "Content-Length: 0\r\n")).status, 200);  // there is no body to continue with
}

TEST(HttpLimits, RequestsThatTwoServersWouldReadDifferently) {
  Running server(plain());
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::pair<std::string, int> cases[] = {
      {post("Content-Length: 4\r\n" + chunked, "0\r\n\r\n"), 400},
      {post(chunked + "Content-Length: 4\r\n", "0\r\n\r\n"), 400},
      {post(chunked + chunked, "0\r\n\r\n"), 400},
      {post("Content-Length: 4\r\nContent-Length: 5\r\n", "abcd"), 400},
      {post("Content-Length: 4\r\nContent-Length: 4\r\n", "abcd"), 400},
      {post("Content-Length: 4, 5\r\n", "abcd"), 400},
      {post("Content-Length: -1\r\n"), 400},
      {post("Content-Length: +4\r\n", "abcd"), 400},
      {post("Content-Length: 0x4\r\n", "abcd"), 400},
      {post("Content-Length: 99999999999999999999\r\n"), 400},
      {post("Content-Length: 18446744073709551615\r\n"), 413},
      {post("Transfer-Encoding: gzip\r\n"), 501},
      {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 501},
      {post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
      {post(chunked, "g\r\n"), 400},
      {post(chunked, "\r\n"), 400},
      {post(chunked, "-1\r\n"), 400},
      {post(chunked, "fffffffffffffffff\r\n"), 400},
      {post(chunked, "ffffffffffffffff\r\nabc"), 413},
      {post(chunked, "3\r\nabcX\r\n0\r\n\r\n"), 400},
      {post(chunked, "1;" + std::string(300, 'x') + "\r\na\r\n0\r\n\r\n"), 400},
      {post(chunked, "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n"), 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\nHost: a\n\n\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, 400},
      {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
      {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /?a=%f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n", 400},
      {get("/" + std::string(9000, 'a')), 414},
      {get("/", "X-Long: " + std::string(20'000, 'a') + "\r\n"), 431},
      {"GET /" + std::string(100'000, 'a'), 431},
  };
  for (const auto& [request, status] : cases) {
    SCOPED_TRACE(request.substr(0, 120));
    Raw client(server.port());
    client.send(request + get("/"));  // which must not be answered as a separate request
    const auto got = client.answer();
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.header("content-type"), "application/problem+json");
    EXPECT_TRUE(client.ends());
    EXPECT_EQ(client.text(), "");
  }
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X" + std::to_string(i) + ": 1\r\n";
  Raw client(server.port());
  EXPECT_EQ(client.exchange(get("/", many)).status, 431);
  Raw absolute(server.port());
  EXPECT_EQ(absolute.exchange("\r\nGET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n").body, "here");
}

TEST(HttpLimits, RequestsOfOneClientArePaced) {
  Router router = plain();
  router.get("/probe", [](const Request&) { return text("ok"); }, {.limited = false});
  Running server(std::move(router), {.requests_per_second = 5, .burst = 3});
  Raw client(server.port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.exchange(get("/")).status, 200);
  const auto refused = client.exchange(get("/"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(client.exchange(get("/probe")).status, 200);
  Raw neighbor(server.port(), "127.0.0.2");
  EXPECT_EQ(neighbor.exchange(get("/")).status, 200);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(client.exchange(get("/")).status, 200);
}

TEST(HttpLimits, ATrustedProxyBringsManyClients) {
  Running server(
      plain(),
      {.max_connections_per_address = 1, .trusted_proxies = {"127.0.0.1"}, .requests_per_second = 1, .burst = 1});
  Raw proxy(server.port()), another(server.port());
  EXPECT_EQ(proxy.exchange(get("/", "X-Forwarded-For: 192.0.2.1\r\n")).status, 200);
  EXPECT_EQ(another.exchange(get("/", "X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n")).status, 429);
  EXPECT_EQ(another.exchange(get("/", "X-Forwarded-For: 192.0.2.2\r\n")).status, 200);
  Raw stranger(server.port(), "127.0.0.2");
  EXPECT_EQ(stranger.exchange(get("/", "X-Forwarded-For: 192.0.2.3\r\n")).status, 200);
  EXPECT_EQ(stranger.exchange(get("/", "X-Forwarded-For: 192.0.2.4\r\n")).status, 429);
  EXPECT_EQ(Raw(server.port(), "127.0.0.2").exchange(get("/")).status, 429);  // its second connection
}

TEST(HttpLimits, RequestsAtOnceCountForWhomAProxyNames) {
  Gate gate;
  Router router = plain();
  router.get("/slow", [&](const Request&) {
    gate.wait();
    return text("slow");
  });
  Running server(std::move(router), {.max_connections_per_address = 1, .trusted_proxies = {"127.0.0.1"}});
  Raw first(server.port()), second(server.port()), other(server.port());
  first.send(get("/slow", "X-Forwarded-For: 192.0.2.1\r\n"));
  EXPECT_TRUE(soon([&] { return second.exchange(get("/", "X-Forwarded-For: 192.0.2.1\r\n")).status == 429; }));
  EXPECT_EQ(other.exchange(get("/", "X-Forwarded-For: 192.0.2.2\r\n")).status, 200);
  gate.open();
  EXPECT_TRUE(
      soon([&] { return Raw(server.port()).exchange(get("/", "X-Forwarded-For: 192.0.2.1\r\n")).status == 200; }));
}

TEST(HttpLimits, ConnectionsOfOneAddressAndInAll) {
  Router router = plain();
  router.get("/healthz", [](const Request&) { return text("ok"); }, {.limited = false, .quiet = true});
  // One more connection than is used: the fourth of the first address, open until its client has read the refusal.
  Running server(std::move(router), {.max_connections = 6, .max_connections_per_address = 3});
  std::vector<Raw> kept;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(kept.emplace_back(server.port()).exchange(get("/")).status, 200);
  Raw fourth(server.port());
  EXPECT_EQ(fourth.exchange(get("/")).status, 429);
  EXPECT_TRUE(fourth.ends());
  {
    Raw probe(server.port());
    EXPECT_EQ(probe.exchange(get("/healthz")).status, 200);
    EXPECT_TRUE(probe.ends());
  }
  EXPECT_TRUE(soon([&] { return Raw(server.port(), "127.0.0.9").exchange(get("/")).status == 200; }));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(kept.emplace_back(server.port(), "127.0.0.2").exchange(get("/")).status, 200);
  Raw sixth(server.port(), "127.0.0.3");
  const auto refused = sixth.exchange(get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  kept.clear();
  EXPECT_TRUE(soon([&] { return Raw(server.port()).exchange(get("/")).status == 200; }));
}

TEST(HttpLimits, AFullQueueRefuses) {
  Gate gate;
  Router router = plain();
  router.get("/slow", [&](const Request&) {
    gate.wait();
    return text("done");
  });
  Running server(std::move(router), {.worker_threads = 2, .max_queued = 3});
  std::vector<Raw> clients;
  for (int i = 0; i < 2; ++i) clients.emplace_back(server.port()).send(get("/slow"));
  ASSERT_TRUE(soon([&] { return gate.waiting() == 2; }));
  for (int i = 0; i < 3; ++i) clients.emplace_back(server.port()).send(get("/slow"));
  const auto& running = server.registry().gauge("reeltag_http_requests_running", "");
  ASSERT_TRUE(soon([&] { return running.value() == 5; }));  // two running, three in the queue
  Raw over(server.port());
  const auto refused = over.exchange(get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(nlohmann::json::parse(refused.body)["code"], "overloaded");
  gate.open();
  for (auto& client : clients) EXPECT_EQ(client.answer().body, "done");
  EXPECT_EQ(over.exchange(get("/")).status, 200);
}

}  // namespace
}  // namespace reeltag::http::server

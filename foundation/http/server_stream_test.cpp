// Tests uploads, event streams and the server's shutdown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>

#include "server_fixture.hpp"

namespace reeltag::http::server {
namespace {

using namespace std::chrono_literals;

// Records what the upload handlers received.
struct Seen {
  std::mutex mutex;
  std::string bytes;
  std::size_t largest = 0, writes = 0;
  int finished = 0, destroyed = 0;
  std::size_t fail_after = SIZE_MAX;
  std::chrono::milliseconds pause{0};

  template <class T>
  T read(const std::function<T()>& get) {
    const std::lock_guard lock(mutex);
    return get();
  }
  std::size_t size() {
    return read<std::size_t>([&] { return bytes.size(); });
  }
  int destroyed_count() {
    return read<int>([&] { return destroyed; });
  }
};

class Keep final : public Upload {
 public:
  explicit Keep(Seen& seen) : seen_(seen) {}
  ~Keep() override {
    const std::lock_guard lock(seen_.mutex);
    ++seen_.destroyed;
  }
  Result<void> write(std::string_view part) override {
    std::this_thread::sleep_for(seen_.pause);
    const std::lock_guard lock(seen_.mutex);
    seen_.bytes += part;
    seen_.largest = std::max(seen_.largest, part.size());
    ++seen_.writes;
    if (seen_.bytes.size() > seen_.fail_after) return fail(Code::already_exists, "enough of that");
    return {};
  }
  Response refusal(const Error& error) override { return problem(error).with("X-Refused", "by the sink"); }
  Response finish() override {
    const std::lock_guard lock(seen_.mutex);
    ++seen_.finished;
    return Response{.status = 204};
  }

 private:
  Seen& seen_;
};

Router uploads(Seen& seen, std::int64_t limit = 1LL << 40) {
  Router router;
  router.upload("PUT", "/up/{name}",
                [&](const Request& q) -> std::variant<Response, std::unique_ptr<Upload>> {
                  if (q.parameter("name") == "no")
                    return problem(409, "already_exists", "it is there").with("X-Why", "1");
                  return std::make_unique<Keep>(seen);
                },
                {.max_body = limit});
  router.get("/", [](const Request&) { return text("here"); });
  return router;
}

std::string put(const std::string& headers, const std::string& name = "a") {
  return "PUT /up/" + name + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

TEST(HttpUpload, ArrivesInPieces) {
  Seen seen;
  Running server(uploads(seen));
  std::string bytes(20 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 4096);
  Raw client(server.port());
  EXPECT_EQ(client.exchange(put("Content-Length: " + std::to_string(bytes.size()) + "\r\n") + bytes).status, 204);
  EXPECT_TRUE(seen.bytes == bytes);
  EXPECT_EQ(seen.finished, 1);
  EXPECT_EQ(seen.destroyed, 1);
  EXPECT_LE(seen.largest, 512U << 10);  // never the whole body at once
  EXPECT_EQ(client.exchange(get("/")).body, "here");
}

TEST(HttpUpload, SmallChunksAreGathered) {
  Seen seen;
  Running server(uploads(seen));
  Raw client(server.port());
  std::string wire = put("Transfer-Encoding: chunked\r\n"), bytes;
  for (int i = 0; i < 20'000; ++i) {
    const std::string part = std::to_string(i) + ",";
    wire += std::to_string(part.size()) + "\r\n" + part + "\r\n";
    bytes += part;
  }
  EXPECT_EQ(client.exchange(wire + "0\r\n\r\n").status, 204);
  EXPECT_TRUE(seen.bytes == bytes);
  EXPECT_LT(seen.writes, 2000U);
  EXPECT_EQ(client.exchange(put("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").status, 204);
  EXPECT_EQ(client.exchange(put("Content-Length: 0\r\n")).status, 204);
  EXPECT_EQ(seen.finished, 3);
}

TEST(HttpUpload, ASlowSinkHoldsTheClientBack) {
  Seen seen;
  seen.pause = 20ms;
  Running server(uploads(seen), {.drain_timeout = 0.1});
  Raw client(server.port());
  client.send(put("Content-Length: 1000000000\r\n"));
  std::atomic<std::size_t> sent = 0;
  std::jthread sending([&](const std::stop_token& stop) {
    const std::string piece(64 << 10, 'x');
    while (!stop.stop_requested() && client.send(piece)) sent += piece.size();
  });
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(sent - seen.size(), 16U << 20);  // the sockets' buffers; 500 ms of loopback would be hundreds of megabytes
  EXPECT_LT(sent, 64U << 20);
  sending.request_stop();
  server.stop();
}

TEST(HttpUpload, WhatCameBeforeABreakWasGiven) {
  for (const bool by_reset : {false, true}) {
    for (const bool chunked : {false, true}) {
      Seen seen;
      Running server(uploads(seen));
      Raw client(server.port());
      client.send(chunked ? put("Transfer-Encoding: chunked\r\n") + "5\r\nfirst\r\n6\r\nsecond\r\n9\r\nth"
                          : put("Content-Length: 1000\r\n") + "firstsecondth");
      ASSERT_TRUE(soon([&] { return seen.size() == 13; })) << seen.size();
      if (by_reset) client.reset();
      client.close();
      EXPECT_TRUE(soon([&] { return seen.destroyed_count() == 1; }));
      EXPECT_EQ(seen.bytes, "firstsecondth");
      EXPECT_EQ(seen.finished, 0);
    }
  }
}

TEST(HttpUpload, RefusalsComeBeforeTheBody) {
  Seen seen;
  Running server(uploads(seen, 1000));
  const std::string expect = "Expect: 100-continue\r\n";
  {
    Raw client(server.port());
    const auto refused = client.exchange(put(expect + "Content-Length: 5\r\n", "no"));
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.header("x-why"), "1");
  }
  {
    Raw client(server.port());
    EXPECT_EQ(client.exchange(put(expect + "Content-Length: 1001\r\n")).status, 413);
  }
  {
    Raw client(server.port());
    EXPECT_EQ(
        client.exchange(put("Transfer-Encoding: chunked\r\n") + "3e9\r\n" + std::string(1001, 'x') + "\r\n").status,
        413);
    EXPECT_TRUE(soon([&] { return seen.destroyed_count() == 1; }));
  }
  EXPECT_EQ(seen.finished, 0);
  Raw client(server.port());
  EXPECT_EQ(client.exchange(put(expect + "Content-Length: 5\r\n")).status, 100);
  EXPECT_EQ(client.exchange("bytes").status, 204);
}

TEST(HttpUpload, ASinkThatFailsIsAnswered) {
  Seen seen;
  seen.fail_after = 10;
  Running server(uploads(seen));
  Raw client(server.port());
  const auto got = client.exchange(put("Content-Length: 3000000\r\n") + std::string(1'000'000, 'x'));
  EXPECT_EQ(got.status, 409);
  EXPECT_EQ(got.header("x-refused"), "by the sink");
  EXPECT_TRUE(soon([&] { return seen.destroyed_count() == 1; }));
  EXPECT_EQ(seen.finished, 0);
}

// A route that passes its event stream to the test.
struct Subscribers {
  std::mutex mutex;
  std::vector<std::shared_ptr<EventStream>> streams;

  Router router() {
    Router out;
    out.get("/events", [this](const Request&) {
      return events([this](std::shared_ptr<EventStream> stream) {
        const std::lock_guard lock(mutex);
        streams.push_back(std::move(stream));
      });
    });
    return out;
  }
  std::shared_ptr<EventStream> wait_for(std::size_t index = 0) {
    std::shared_ptr<EventStream> found;
    soon([&] {
      const std::lock_guard lock(mutex);
      if (streams.size() > index) found = streams[index];
      return found != nullptr;
    });
    return found;
  }
};

TEST(HttpEvents, ArriveAsTheyAreSentAndEnd) {
  Subscribers subscribers;
  Running server(subscribers.router());
  Raw client(server.port());
  client.send(get("/events"));
  const auto stream = subscribers.wait_for();
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->send({.data = "one\ntwo\r\nthree", .event = "progress", .id = "7"}));
  ASSERT_TRUE(client.more_until("data: three\n\n"));
  EXPECT_TRUE(stream->send({.data = ""}));
  EXPECT_THROW(stream->send({.event = "a\ndata: b"}), Exception);
  stream->close();
  EXPECT_FALSE(stream->send({.data = "late"}));
  const auto got = client.answer();
  EXPECT_EQ(got.header("content-type"), "text/event-stream");
  EXPECT_EQ(got.body, "event: progress\nid: 7\ndata: one\ndata: two\ndata: three\n\ndata: \n\n");
}

TEST(HttpEvents, AHeartbeatKeepsThemOpen) {
  Subscribers subscribers;
  Running server(subscribers.router(), {.heartbeat = 0.05});
  Raw client(server.port());
  client.send(get("/events"));
  EXPECT_TRUE(client.more_until(":\n\n\r\n3\r\n:\n\n"));
}

TEST(HttpEvents, AClientThatGoesAwayIsNoticed) {
  Subscribers subscribers;
  Running server(subscribers.router());
  for (const bool by_reset : {false, true}) {
    Raw client(server.port());
    client.send(get("/events"));
    const auto stream = subscribers.wait_for(by_reset ? 1 : 0);
    ASSERT_TRUE(stream);
    ASSERT_TRUE(stream->send({.data = "x"}));
    ASSERT_TRUE(client.more_until("data: x"));
    if (by_reset) client.reset();
    client.close();
    EXPECT_TRUE(soon([&] { return stream->is_closed(); }));
    EXPECT_FALSE(stream->send({.data = "y"}));
  }
}

TEST(HttpEvents, AClientThatDoesNotReadIsCutOff) {
  Subscribers subscribers;
  Running server(subscribers.router());
  Raw client(server.port());
  client.send(get("/events"));
  const auto stream = subscribers.wait_for();
  ASSERT_TRUE(stream);
  const std::string large(100'000, 'x');
  std::size_t sent = 0;
  while (sent < (64U << 20) && stream->send({.data = large})) sent += large.size();
  EXPECT_TRUE(stream->is_closed());
  EXPECT_LT(sent, 32U << 20);  // the sockets' buffers, and one megabyte of the server's
}

TEST(HttpHandler, LearnsThatItsClientHasGone) {
  std::atomic<bool> began = false, told = false;
  Router router;
  router.get("/long", [&](const Request& q) {
    began = true;
    told = soon([&] { return q.stop.stop_requested(); });
    return text("nobody reads this");
  });
  Running server(std::move(router));
  Raw client(server.port());
  client.send(get("/long"));
  ASSERT_TRUE(soon([&] { return began.load(); }));
  EXPECT_FALSE(told);
  client.close();
  EXPECT_TRUE(soon([&] { return told.load(); }));
}

TEST(HttpDrain, LosesNoRequestUnderLoad) {
  Router router;
  router.get("/work", [](const Request&) {
    std::this_thread::sleep_for(5ms);
    return text("done");
  });
  Running server(std::move(router));
  std::atomic<int> done = 0, cut = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      for (;;) {
        Raw client(server.port());
        if (!client.is_open()) return;  // the server no longer accepts connections
        for (;;) {
          if (!client.send(get("/work"))) break;
          const auto got = client.answer();
          if (got.status == 0) {
            // An idle connection may close just as a request is sent on it (RFC 9112, 9.3.1): a client retries.
            if (server.server().is_ready()) ++cut;
            break;
          }
          if (got.body != "done") ++cut;
          ++done;
          if (got.header("connection") == "close") break;
        }
      }
    });
  }
  EXPECT_TRUE(soon([&] { return done > 200; }));
  const auto begin = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
  clients.clear();
  EXPECT_EQ(cut, 0);
}

TEST(HttpDrain, IsNotReadyFirstThenClosesThenWaits) {
  std::atomic<bool> began = false, let_go = false;
  Router router;
  router.get("/slow", [&](const Request&) {
    began = true;
    soon([&] { return let_go.load(); }, 10s);
    return text("finished");
  });
  Server* server_of_route = nullptr;
  router.get("/readyz", [&](const Request&) {
    return server_of_route->is_ready() ? text("ready") : problem(503, "draining", "the server is ending");
  });
  Subscribers subscribers;
  router.get("/events", subscribers.router().routes().front().handler);
  Running server(std::move(router), {.drain_delay = 0.4});
  server_of_route = &server.server();
  Raw slow(server.port()), idle(server.port()), probe(server.port()), watching(server.port());
  slow.send(get("/slow"));
  watching.send(get("/events"));
  ASSERT_TRUE(subscribers.wait_for());
  EXPECT_EQ(idle.exchange(get("/readyz")).status, 200);
  ASSERT_TRUE(soon([&] { return began.load(); }));
  server.request_stop();
  ASSERT_TRUE(soon([&] { return !server.server().is_ready(); }));
  EXPECT_EQ(probe.exchange(get("/readyz")).status, 503);  // still answered
  EXPECT_TRUE(idle.ends(3s));
  EXPECT_TRUE(watching.ends(3s));
  EXPECT_TRUE(watching.text().ends_with("0\r\n\r\n"));  // complete, not cut
  EXPECT_TRUE(soon([&] { return !Raw(server.port()).is_open(); }));
  let_go = true;
  const auto got = slow.answer();
  EXPECT_EQ(got.body, "finished");
  EXPECT_EQ(got.header("connection"), "close");
  server.stop();
}

TEST(HttpDrain, TellsWhoIsNotDoneInTime) {
  std::atomic<bool> began = false, told = false;
  Router router;
  router.get("/slow", [&](const Request& q) {
    began = true;
    told = soon([&] { return q.stop.stop_requested(); }, 10s);
    return text("late");
  });
  Running server(std::move(router), {.drain_timeout = 0.2});
  Raw slow(server.port());
  slow.send(get("/slow"));
  ASSERT_TRUE(soon([&] { return began.load(); }));
  const auto begin = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_TRUE(told);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_EQ(slow.answer().status, 0);
}

}  // namespace
}  // namespace reeltag::http::server

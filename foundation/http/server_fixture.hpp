// Test fixture: a running server and a raw client, for this module's tests. Each test creates its own; one thread.
//
//   Running server(router, {.max_body_bytes = 10});
//   Raw client(server.port());
//   client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   EXPECT_EQ(client.answer().status, 200);
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/http/server.hpp"
#include "target.hpp"

namespace reeltag::http::server {

// Options for tests: any free port, no rate limit.
inline Options any_port(Options options = {}) {
  options.port = 0;
  if (options.requests_per_second == Options{}.requests_per_second) options.requests_per_second = 0;
  return options;
}

class Running {
 public:
  explicit Running(Router router, const Options& options = {})
      : router_(std::move(router)), server_(any_port(options), registry_) {
    thread_ = std::jthread([this](const std::stop_token& stop) { server_.run(router_, stop); });
    while (!server_.is_ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Running() { stop(); }

  [[nodiscard]] int port() const { return server_.port(); }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }
  Server& server() { return server_; }
  metrics::Registry& registry() { return registry_; }
  void request_stop() { thread_.request_stop(); }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  Router router_;
  metrics::Registry registry_;
  Server server_;
  std::jthread thread_;
};

struct RawAnswer {
  int status = 0;  // 0: the connection ended before an answer
  std::map<std::string, std::string> headers = {};
  std::string body = {};

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class Raw {
 public:
  explicit Raw(int port, const char* from = "127.0.0.1") : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &local.sin_addr);
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) != 0)
      throw std::runtime_error("no such address on this machine");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) socket_.close();
  }

  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  // Appends received bytes to text(); false at the end of the connection or after the time.
  bool more(std::chrono::milliseconds time = std::chrono::seconds(10)) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(time.count())) <= 0) return false;
    char buffer[65536];
    const auto got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got > 0) text_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  bool more_until(std::string_view text, std::chrono::milliseconds time = std::chrono::seconds(10)) {
    while (text_.find(text) == std::string::npos)
      if (!more(time)) return false;
    return true;
  }
  // Whether the server closes within the time; bytes received before that are kept.
  bool ends(std::chrono::milliseconds time = std::chrono::seconds(10)) {
    const auto until = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
      if (!more(std::chrono::milliseconds(0))) return true;
    }
  }

  // Parses the next response and removes it from text(). without_body: for responses to HEAD.
  RawAnswer answer(bool without_body = false) {
    RawAnswer out;
    if (!more_until("\r\n\r\n")) return out;
    const auto end = text_.find("\r\n\r\n");
    const std::string head = text_.substr(0, end + 2);
    text_.erase(0, end + 4);
    out.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const auto stop = head.find("\r\n", at);
      const auto colon = head.find(':', at);
      out.headers[lower_case(head.substr(at, colon - at))] = head.substr(colon + 2, stop - colon - 2);
      at = stop + 2;
    }
    const bool none = without_body || out.status == 204 || out.status == 304 || out.status < 200;
    if (!none) read_body(out);
    return out;
  }

  RawAnswer exchange(std::string_view request, bool without_body = false) {
    send(request);
    return answer(without_body);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  void reset() {  // closes with RST
    const linger now{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.close();
  }
  void close() { socket_.close(); }

 private:
  void read_body(RawAnswer& out) {
    if (out.header("transfer-encoding") == "chunked") {
      for (std::size_t size = 1; size != 0;) {
        if (!more_until("\r\n")) throw std::runtime_error("a cut chunk");
        size = std::stoul(text_, nullptr, 16);
        text_.erase(0, text_.find("\r\n") + 2);
        while (text_.size() < size + 2)
          if (!more()) throw std::runtime_error("a cut chunk");
        out.body += text_.substr(0, size);
        text_.erase(0, size + 2);
      }
      return;
    }
    const std::size_t size = std::stoul(out.header("content-length"));
    while (text_.size() < size)
      if (!more()) throw std::runtime_error("a cut body");
    out.body = text_.substr(0, size);
    text_.erase(0, size);
  }

  Descriptor socket_;
  std::string text_;
};

inline std::string get(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

// Waits until the condition holds, for effects of other threads.
inline bool soon(const std::function<bool()>& holds, std::chrono::milliseconds time = std::chrono::seconds(5)) {
  for (const auto until = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < until;) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return holds();
}

}  // namespace reeltag::http::server

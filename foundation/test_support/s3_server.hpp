// For tests: an S3 server that checks signatures (versitygw) on a free loopback port with its own folder, and a proxy
// in front of it that simulates failing networks and busy servers. Both end with the object. Create them from one
// thread. Throw std::runtime_error if they cannot start.
//
//   S3Server server;                              // sets the AWS_ variables of this process
//   auto store = store::open(server.url("some-bucket"));
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/subprocess.hpp"

namespace reeltag::test {

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

inline Descriptor connect_to(int port) {
  Descriptor to(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  if (::connect(to.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) to.close();
  return to;
}

// Opens a listening socket on a free port.
inline Descriptor listen_anywhere(int& port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener.get(), 64) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("no free port");
  port = ntohs(address.sin_port);
  return listener;
}

class S3Server {
 public:
  S3Server() {
    allow("testkey", "testsecret123");
    ::setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    start();
  }

  // The credentials that this process uses for every server.
  static void allow(const std::string& key, const std::string& secret) {
    ::setenv("AWS_ACCESS_KEY_ID", key.c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", secret.c_str(), 1);
  }

  void start() {
    const auto program = std::string(REELTAG_SOURCE_DIR) + "/.deps/bin/versitygw";
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (port_ == 0) listen_anywhere(port_);  // closed again, for the server to bind
      // Without --disableotmp it removes the old object before the new one exists.
      process_.emplace(value_or_throw(
          Process::start({program, "--access", "testkey", "--secret", "testsecret123", "--port",
                          "127.0.0.1:" + std::to_string(port_), "posix", "--disableotmp", folder_.path().string()})));
      for (int i = 0; i < 600 && !process_->wait(std::chrono::milliseconds(50)); ++i) {
        if (connect_to(port_).is_open()) return;
      }
      process_.reset();
      port_ = 0;  // another program took the port
    }
    throw std::runtime_error("versitygw does not start: run tools/setup.sh tests");
  }
  void stop() { process_.reset(); }

  [[nodiscard]] int port() const { return port_; }
  // The folder in which the server keeps a bucket, objects as whole files.
  [[nodiscard]] std::filesystem::path folder(const std::string& bucket) const { return folder_.path() / bucket; }
  std::string make_bucket() {
    auto name = "bucket-" + std::to_string(++buckets_);
    std::filesystem::create_directory(folder_.path() / name);
    return name;
  }
  // Through another port if one is given.
  [[nodiscard]] std::string url(const std::string& place, int port = 0) const {
    return "s3://" + place +
           "?region=us-east-1&scheme=http&endpoint_override=127.0.0.1:" + std::to_string(port == 0 ? port_ : port);
  }

 private:
  TemporaryFolder folder_{"reeltag-s3"};
  std::optional<Process> process_;
  int port_ = 0;
  int buckets_ = 0;
};

// How the proxy handles a connection.
enum class Fault { none, slow_down, timed_out, reset, silent };

class FaultyProxy {
 public:
  explicit FaultyProxy(int to) : to_(to), listener_(listen_anywhere(port_)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;
  ~FaultyProxy() { inject(Fault::none, 0); }

  [[nodiscard]] int port() const { return port_; }
  // Makes the next connections fail this way; closes open ones, because clients keep them for later requests.
  void inject(Fault fault, int times) {
    fault_ = fault;
    left_ = times;
    ++era_;
  }
  // Cuts the connection once the client has sent this many more bytes, and all later connections.
  void cut_after(std::int64_t bytes) { room_ = bytes; }
  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] bool was_cut() const { return room_ <= 0; }

 private:
  void serve(const std::stop_token& stop) {
    std::vector<std::jthread> connections;
    while (!stop.stop_requested()) {
      pollfd waiting{listener_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const bool fails = left_.fetch_sub(1) > 0;
      if (!fails) left_ = 0;
      if (fails) ++failed_;
      connections.emplace_back([this, fault = fails ? fault_.load() : Fault::none, from = std::move(client)](
                                   const std::stop_token& token) mutable { handle(token, fault, std::move(from)); });
    }
  }

  void handle(const std::stop_token& stop, Fault fault, Descriptor client) {
    if (fault == Fault::none) return pass(stop, client);
    if (fault == Fault::reset) {
      const linger now{1, 0};
      ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
      return;
    }
    std::string request;
    read_until(stop, client,
               [&](std::string_view part) { return (request += part).find("\r\n\r\n") != std::string::npos; });
    if (fault == Fault::silent) return read_until(stop, client, [](std::string_view) { return false; });
    const std::string code = fault == Fault::slow_down ? "SlowDown" : "RequestTimeout";
    const std::string body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>later</Message></Error>";
    const std::string answer =
        std::string("HTTP/1.1 ") + (fault == Fault::slow_down ? "503 Slow Down" : "400 Bad Request") +
        "\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
    read_until(stop, client, [](std::string_view) { return false; });  // otherwise a reset overtakes the response
  }

  template <class Enough>
  void read_until(const std::stop_token& stop, const Descriptor& from, const Enough& enough) {
    std::string part(1 << 16, '\0');
    for (const int era = era_; !stop.stop_requested() && era == era_;) {
      pollfd waiting{from.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const auto got = ::read(from.get(), part.data(), part.size());
      if (got <= 0 || enough(std::string_view(part).substr(0, static_cast<std::size_t>(got)))) return;
    }
  }

  void pass(const std::stop_token& stop, const Descriptor& client) {
    const auto server = connect_to(to_);
    if (!server.is_open()) return;
    std::string part(1 << 16, '\0');
    const auto move = [&](const Descriptor& from, const Descriptor& to, bool counted) {
      const auto got = ::read(from.get(), part.data(), part.size());
      if (got <= 0 || (counted && (room_ -= got) <= 0)) return false;
      for (ssize_t sent = 0; sent < got;) {
        const auto n = ::send(to.get(), part.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += n;
      }
      return true;
    };
    for (const int era = era_; !stop.stop_requested() && era == era_;) {
      pollfd waiting[2]{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
      if (::poll(waiting, 2, 20) <= 0) continue;
      if (waiting[0].revents != 0 && !move(client, server, true)) return;
      if (waiting[1].revents != 0 && !move(server, client, false)) return;
    }
  }

  int to_;
  int port_ = 0;
  Descriptor listener_;
  std::atomic<Fault> fault_{Fault::none};
  std::atomic<int> left_{0}, era_{0}, failed_{0};
  std::atomic<std::int64_t> room_{std::int64_t{1} << 60};
  std::jthread thread_;
};

}  // namespace reeltag::test

// A test server for this module, on any loopback address.
// Handles requests on its own thread. Owns its socket and stops with the object; std::runtime_error if it cannot start.
//
//   const Server server([](const std::string& request) { return ok("body"); });
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/http.hpp"

namespace reeltag::http {

// Answers every connection to its port on any loopback address, IPv4 and IPv6, and counts them.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit Server(Answer answer) : answer_(std::move(answer)) {
    listener_ = Descriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int off = 0;
    ::setsockopt(listener_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 ||
        ::listen(listener_.get(), 64) != 0)
      throw std::runtime_error("no server");
    socklen_t length = sizeof any;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&any), &length);
    port_ = ntohs(any.sin6_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const Descriptor client(::accept(listener_.get(), nullptr, nullptr));
      ++connections_;
      std::string request(4096, '\0');
      const auto got = ::read(client.get(), request.data(), request.size());
      const std::string reply = got > 0 ? answer_(request.substr(0, static_cast<std::size_t>(got))) : "";
      if (::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) continue;
      if (reply.ends_with("...")) {  // keeps the connection open and sends nothing more
        pollfd gone{client.get(), POLLIN, 0};
        ::poll(&gone, 1, 5000);
      }
    }
  }

  Answer answer_;
  Descriptor listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

inline std::string ok(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" + headers +
         "\r\n" + body;
}
inline std::string redirect(int status, const std::string& to) {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nLocation: " + to +
         "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

// Options with short timeouts; with_second() also allows 127.0.0.2.
inline ClientOptions quick() {
  ClientOptions options;
  options.timeout = 5;
  options.file_timeout = 5;
  options.connect_timeout = 2;
  return options;
}
inline ClientOptions with_second() {
  ClientOptions options = quick();
  options.allow = {"127.0.0.2"};
  return options;
}
inline std::string at(const std::string& host, const Server& server, const std::string& path = "/") {
  return "http://" + host + ":" + std::to_string(server.port()) + path;
}

}  // namespace reeltag::http

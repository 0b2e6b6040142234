// HTTP/1.1 server: few network threads, a bounded pool of handler threads, limits on every resource that a client can
// use. Plain HTTP: a proxy in front terminates TLS.
// Server: run() blocks its caller; the other functions may be called from any thread. Owns its threads and sockets.
// Failure: an address that cannot be bound throws Exception(unavailable, permission_denied or invalid_config),
// malformed trusted_proxies throw invalid_config; no request ends run().
//
//   server::Server server({.port = 8080}, registry);
//   server::Router router;
//   router.get("/readyz", [&](const server::Request&) { return server::text(server.is_ready() ? "ok" : "no"); });
//   server.run(router, stop::token());
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/metrics.hpp"
#include "reeltag/http/router.hpp"

namespace reeltag::http::server {

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any free port
  int io_threads = 2;
  int worker_threads = 8;
  int max_queued = 256;
  int max_connections = 1024;
  int max_connections_per_address = 128;
  std::vector<std::string> trusted_proxies = {};
  double requests_per_second = 100.0;
  int burst = 200;
  int max_header_bytes = 16 << 10;
  int max_headers = 100;
  int max_target_bytes = 8 << 10;
  std::int64_t max_body_bytes = 1 << 20;
  double header_timeout = 10.0;
  double idle_timeout = 60.0;
  double stall_timeout = 20.0;
  std::int64_t min_rate = 1024;
  double min_rate_after = 10.0;
  double heartbeat = 15.0;
  double drain_delay = 0.0;
  double drain_timeout = 25.0;
};
template <class V>
void visit(V& v, Options& c) {
  v("host", c.host, "Address to listen on; 0.0.0.0 or :: for all");
  v("port", c.port, "Port to listen on; 0 for any that is free", config::Range{0, 65535});
  v("io_threads", c.io_threads, "Threads for the network", config::Range{1, 256});
  v("worker_threads", c.worker_threads, "Threads for handlers", config::Range{1, 4096});
  v("max_queued", c.max_queued, "Requests that may wait for a thread; more are answered 503", config::Range{0, 1e6});
  v("max_connections", c.max_connections, "Connections in all; more are answered 503", config::Range{1, 1e6});
  v("max_connections_per_address", c.max_connections_per_address,
    "Connections of one address (IPv6: of one /64); more are answered 429", config::Range{1, 1e6});
  v("trusted_proxies", c.trusted_proxies,
    "Addresses and networks of proxies, e.g. [127.0.0.1]: limits count for whom their X-Forwarded-For names");
  v("requests_per_second", c.requests_per_second, "Requests a second of one client, more are answered 429; 0 for any",
    config::Range{0, 1e9});
  v("burst", c.burst, "Requests of one client that may come at once", config::Range{1, 1e9});
  v("max_header_bytes", c.max_header_bytes, "Bytes of a request's head", config::Range{256, 1 << 20});
  v("max_headers", c.max_headers, "Header fields of a request", config::Range{1, 10'000});
  v("max_target_bytes", c.max_target_bytes, "Bytes of a request's path and query", config::Range{16, 1 << 20});
  v("max_body_bytes", c.max_body_bytes, "Bytes of a body, where the route sets no limit", config::Range{0, 1e15});
  v("header_timeout", c.header_timeout, "Seconds for a whole head", config::Range{0.05, 3600});
  v("idle_timeout", c.idle_timeout, "Seconds that a connection may wait for its next request",
    config::Range{0.05, 86400});
  v("stall_timeout", c.stall_timeout, "Seconds without a byte of a body, in or out", config::Range{0.05, 86400});
  v("min_rate", c.min_rate, "Bytes a second that a body must have on average, in or out", config::Range{0, 1e12});
  v("min_rate_after", c.min_rate_after, "Seconds of waiting for a client before min_rate counts",
    config::Range{0, 86400});
  v("heartbeat", c.heartbeat, "Seconds between signs of life in a stream of events", config::Range{0.05, 3600});
  v("drain_delay", c.drain_delay, "Seconds between reporting not ready and refusing connections, for load balancers",
    config::Range{0, 3600});
  v("drain_timeout", c.drain_timeout, "Seconds for running requests to finish when the server ends",
    config::Range{0, 86400});
}

class Server {
 public:
  // Binds the address. The registry must outlive the server and gets
  // reeltag_http_requests_total{route,method,code}, reeltag_http_request_duration_seconds{route},
  // reeltag_http_connections, reeltag_http_requests_running, reeltag_http_queue_depth.
  Server(const Options& options, metrics::Registry& registry);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const;
  // True from run() until a stop is requested.
  [[nodiscard]] bool is_ready() const;

  // Serves until the stop. Then, in this order: is_ready() turns false, drain_delay passes, the server accepts no more
  // connections and closes idle ones, running requests finish. Requests still running at drain_timeout get a stop
  // through Request::stop and lose their connection. Returns when every handler has returned. Call it once only.
  void run(const Router& router, const std::stop_token& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The registry in the format that the request's Accept header prefers, Prometheus text or OpenMetrics.
Response metrics_response(const Request& request, const metrics::Registry& registry);

}  // namespace reeltag::http::server

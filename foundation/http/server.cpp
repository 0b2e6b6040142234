#include "reeltag/http/server.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "address.hpp"
#include "connection.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::http::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

// Of one address beyond max_connections_per_address, on which only probes are answered: a monitor may share the address
// of a client that has taken all.
constexpr int kProbeConnections = 8;
constexpr int kMaxRefusing = 64;  // connections being told at one time why they are refused

// A network thread and its io_context.
struct Loop {
  asio::io_context context{1};
  asio::executor_work_guard<Executor> work{context.get_executor()};
};

tcp::endpoint endpoint_of(const Options& options) {
  error_code ec;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, ec);
  if (ec)
    throw Exception(Code::invalid_config,
                    "'" + options.host + "' is no address to listen on; want e.g. 127.0.0.1 or ::");
  return {address, static_cast<asio::ip::port_type>(options.port)};
}

Proxies proxies_of(const Options& options) try { return Proxies(options.trusted_proxies); } catch (const Exception& e) {
  throw Exception(e.code(), std::string("trusted_proxies: ") + e.what());
}

Client client_of(const Socket& socket, const Proxies& proxies) {
  error_code ec;
  const auto endpoint = socket.remote_endpoint(ec);
  Address address{};
  if (ec || !address_of(endpoint.data(), static_cast<socklen_t>(endpoint.size()), address)) return {};
  return proxies.connected(address);
}

std::string canned(int status, const char* code, const char* detail) {
  const Request none{.id = "none"};
  Reply reply = make_reply(problem(status, code, detail).with("Retry-After", "1"), none, {.keep = false});
  return reply.head + std::get<std::string>(reply.body);
}

Awaitable<void> refuse(Socket socket, std::string text, std::atomic<int>& refusing) {
  const auto client = std::make_shared<ClientSocket>(std::move(socket), 4096);
  const auto put = co_await client->write(text, {}, Clock::now() + std::chrono::seconds(1));
  if (put == ClientSocket::Outcome::ok) co_await client->linger();
  client->close();
  --refusing;
}

// The open connections. Thread-safe.
class Connections {
 public:
  // 0, or the status with which the connection is refused.
  int refusal(const Client& client, const Options& options) {
    const std::lock_guard lock(mutex_);
    if (open_.size() >= static_cast<std::size_t>(options.max_connections)) return 503;
    return count_of(client) >= options.max_connections_per_address + kProbeConnections ? 429 : 0;
  }
  // Whether the client has all its connections, so that a further one is for probes only.
  bool is_for_probes(const Client& client, const Options& options) {
    const std::lock_guard lock(mutex_);
    return count_of(client) >= options.max_connections_per_address;
  }
  void add(const std::shared_ptr<Connection>& connection, const std::string& client) {
    const std::lock_guard lock(mutex_);
    open_.insert(connection);
    ++of_client_[client];
  }
  void remove(const std::shared_ptr<Connection>& connection, const std::string& client) {
    const std::lock_guard lock(mutex_);
    open_.erase(connection);
    if (--of_client_[client] == 0) of_client_.erase(client);
    change_.notify_all();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  void for_each(const std::function<void(Connection&)>& call) {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : open_) call(*connection);
  }
  bool wait_until_none(Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return change_.wait_until(lock, deadline, [this] { return open_.empty(); });
  }

 private:
  // With the lock held. A proxy has the connections of many clients.
  int count_of(const Client& client) const {
    const auto found = client.is_proxy ? of_client_.end() : of_client_.find(client.key);
    return found == of_client_.end() ? 0 : found->second;
  }

  std::mutex mutex_;
  std::condition_variable change_;
  std::set<std::shared_ptr<Connection>> open_;
  std::unordered_map<std::string, int> of_client_;
};

}  // namespace

struct Server::Impl {
  Impl(const Options& o, metrics::Registry& r) : options(o), proxies(proxies_of(o)), registry(r) {
    for (int i = 0; i < options.io_threads; ++i) loops.push_back(std::make_unique<Loop>());
    acceptor.emplace(loops[0]->context.get_executor());
    bind();
  }

  void bind() {
    const auto endpoint = endpoint_of(options);
    try {
      acceptor->open(endpoint.protocol());
      acceptor->set_option(Acceptor::reuse_address(true));
      acceptor->bind(endpoint);
      acceptor->listen();
      port = acceptor->local_endpoint().port();
    } catch (const boost::system::system_error& e) {
      const bool denied = e.code() == boost::system::errc::permission_denied;
      throw Exception(denied ? Code::permission_denied : Code::unavailable,
                      "cannot listen on " + options.host + " port " + std::to_string(options.port) + ": " +
                          e.code().message() + "; choose another with --port");
    }
  }

  Awaitable<void> accept(ServerContext& server) {
    Timer pause(loops[0]->context.get_executor());
    for (std::size_t next = 0;; ++next) {
      auto& context = loops[next % loops.size()]->context;
      Socket socket(context.get_executor());
      const auto [ec] = co_await acceptor->async_accept(socket, kAwait);
      if (!acceptor->is_open()) co_return;
      if (!ec) {
        take(std::move(socket), context, server);
      } else if (ec != asio::error::connection_aborted) {
        log::warning("http_accept_failed",
                     {{"message", ec.message()}});  // no descriptors left: closing connections will help
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(kAwait);
      }
    }
  }

  void take(Socket socket, asio::io_context& context, ServerContext& server) {
    Client client = client_of(socket, server.proxies);
    if (const int status = connections.refusal(client, options); status != 0) {
      registry.counter("reeltag_http_refused_connections_total", "Connections over a limit").add();
      if (++refusing > kMaxRefusing) {
        --refusing;
        return;  // closed without a response: a flood needs no reasons
      }
      auto text = status == 503 ? canned(503, "overloaded", "too many connections")
                                : canned(429, "rate_limited", "too many connections from this address");
      asio::co_spawn(context, refuse(std::move(socket), std::move(text), refusing), asio::detached);
      return;
    }
    const bool for_probes = connections.is_for_probes(client, options);
    auto connection = std::make_shared<Connection>(std::move(socket), server, client, for_probes);
    connections.add(connection, client.key);
    asio::co_spawn(context, connection->run(), [this, connection, key = client.key](const std::exception_ptr& e) {
      if (e) log::error("http_connection_failed", {{"message", message_of(e)}});
      connections.remove(connection, key);
    });
  }

  static std::string message_of(const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& caught) {
      return caught.what();
    } catch (...) {
      return "unknown";
    }
  }

  void run_loop(Loop& loop) {
    for (;;) {
      try {
        loop.context.run();
        return;
      } catch (...) {
        log::error("http_loop_failed", {{"message", message_of(std::current_exception())}});
      }
    }
  }

  void run(const Router& router, const std::stop_token& stop) {
    WorkerPool pool(options.worker_threads, options.max_queued);
    RateLimit rate(options.requests_per_second, options.burst);
    ClientCounts running;
    ServerContext server{options, router, registry, pool, rate, proxies, running};
    auto& depth = registry.gauge("reeltag_http_queue_depth", "Tasks that wait for a worker thread");
    auto& open = registry.gauge("reeltag_http_connections", "Open connections");
    std::vector<std::jthread> threads;
    for (auto& loop : loops) threads.emplace_back([this, &loop] { run_loop(*loop); });
    asio::co_spawn(loops[0]->context, accept(server), asio::detached);
    ready = true;
    log::info("http_listening", {{"host", options.host}, {"port", port}});
    std::mutex mutex;
    std::condition_variable_any change;
    for (std::unique_lock lock(mutex); !stop.stop_requested();) {
      change.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
      depth.set(static_cast<double>(pool.queued()));
      open.set(static_cast<double>(connections.count()));
    }
    drain(server);
    for (auto& loop : loops) {
      loop->work.reset();
      loop->context.stop();
    }
  }

  void drain(ServerContext& server) {
    ready = false;
    std::this_thread::sleep_for(seconds(options.drain_delay));
    server.draining = true;
    asio::post(loops[0]->context, [this] {
      error_code ignored;
      acceptor->close(ignored);
    });
    connections.for_each([](Connection& connection) { connection.drain(); });
    if (connections.wait_until_none(Clock::now() + seconds(options.drain_timeout))) return;
    log::warning("http_drain_timeout", {{"connections", connections.count()}});
    // Handlers cannot be killed: request their stop and wait.
    do {
      connections.for_each([](Connection& connection) { connection.break_off(); });
    } while (!connections.wait_until_none(Clock::now() + std::chrono::seconds(1)));
  }

  const Options options;
  const Proxies proxies;
  metrics::Registry& registry;
  std::vector<std::unique_ptr<Loop>> loops;
  std::optional<Acceptor> acceptor;
  int port = 0;
  std::atomic<bool> ready = false;
  std::atomic<int> refusing = 0;
  Connections connections;
};

Server::Server(const Options& options, metrics::Registry& registry)
    : impl_(std::make_unique<Impl>(options, registry)) {}
Server::~Server() = default;

int Server::port() const { return impl_->port; }
bool Server::is_ready() const { return impl_->ready; }
void Server::run(const Router& router, const std::stop_token& stop) { impl_->run(router, stop); }

Response metrics_response(const Request& request, const metrics::Registry& registry) {
  const bool open = request.header("accept").find("application/openmetrics-text") != std::string_view::npos;
  const auto format = open ? metrics::Format::openmetrics : metrics::Format::prometheus;
  return text(registry.text(format), std::string(metrics::content_type(format)));
}

}  // namespace reeltag::http::server

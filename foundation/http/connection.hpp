// Handles one connection: its requests one after the other, from head to response. Private to the server.
// run() is a coroutine on the thread of its io_context; drain() and break_off() may be called from any thread while it
// runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "client.hpp"
#include "client_socket.hpp"
#include "rate_limit.hpp"
#include "reeltag/http/server.hpp"
#include "reply.hpp"
#include "request_parser.hpp"
#include "worker_pool.hpp"

namespace reeltag::http::server {

// Counts per client. Thread-safe.
class ClientCounts {
 public:
  // False, and nothing counted, if the client has `most` already.
  bool enter(const std::string& client, int most) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(client);
    if (found != counts_.end() && found->second >= most) return false;
    ++counts_[client];
    return true;
  }
  void leave(const std::string& client) {
    const std::lock_guard lock(mutex_);
    if (--counts_[client] == 0) counts_.erase(client);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, int> counts_;
};

// State shared by a server's connections; outlives them.
struct ServerContext {
  const Options& options;
  const Router& router;
  metrics::Registry& registry;
  WorkerPool& pool;
  RateLimit& rate;
  const Proxies& proxies;
  ClientCounts& running;  // requests of clients behind a trusted proxy
  std::atomic<bool> draining = false;
};

// The average rate of a body in either direction: only time spent waiting for the client counts.
struct TransferRate {
  double waited = 0.0;
  double bytes = 0.0;

  [[nodiscard]] bool is_too_slow(const Options& options) const {
    return waited > options.min_rate_after && bytes < static_cast<double>(options.min_rate) * waited;
  }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // for_probes: other requests are answered 429, because the client has too many connections.
  Connection(Socket socket, ServerContext& server, Client connected, bool for_probes = false);

  Awaitable<void> run();
  void drain();  // closes it if idle or streaming events
  void break_off();

 private:
  using Outcome = ClientSocket::Outcome;
  using Answer = std::optional<Response>;  // none: the connection is broken

  Awaitable<bool> read_head(bool first);
  Awaitable<bool> exchange();
  void prepare();
  Answer refusal();
  Answer over_rate();
  Answer over_connections();
  Answer without_route(const Router::Match& found);

  Awaitable<Answer> handle();
  Awaitable<Answer> receive_body();
  Awaitable<Answer> upload();
  Awaitable<Answer> pass_on(std::unique_ptr<Upload>& to);
  Awaitable<Answer> next_piece();
  Awaitable<bool> write_continue();

  Awaitable<bool> on_worker(std::function<void()> work);
  Awaitable<Answer> response_of(std::function<Response()> make);

  Awaitable<bool> answer(Response response);
  Awaitable<bool> write_reply(Reply& reply);
  Awaitable<bool> write_text(std::string_view head, std::string_view body);
  Awaitable<bool> write_content(const Content& content, std::int64_t first, std::int64_t count);
  Awaitable<bool> write_chunks(const Chunks& chunks, bool chunked);
  Awaitable<bool> write_events(const Events& events, bool chunked);
  Awaitable<bool> write_waiting_events(EventStream& stream, bool chunked);
  void finish(int status);
  [[nodiscard]] Response failure() const;

  ServerContext& server_;
  const Options& options_;
  const Client connected_;
  const bool for_probes_;
  std::shared_ptr<ClientSocket> socket_;
  std::atomic<bool> idle_ = false;

  // State of the current request.
  std::optional<RequestParser> parser_;
  Client client_;
  const Route* route_ = nullptr;
  std::stop_source stop_;
  Clock::time_point begin_;
  bool began_ = false;  // a worker has started it: the queue limit no longer applies
  bool has_gone_ = false;
  std::int64_t received_ = 0;
  std::int64_t sent_ = 0;
  TransferRate in_, out_;
};

}  // namespace reeltag::http::server

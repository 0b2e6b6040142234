// Handles one connection: its requests one after the other, from head to response. Private to the server.
// run() is a coroutine on the thread of its io_context; drain() and break_off() may be called from any thread while it
// runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "client.hpp"
#include "client_socket.hpp"
#include "rate_limit.hpp"
#include "reeltag/http/server.hpp"
#include "reply.hpp"
#include "request_parser.hpp"
#include "worker_pool.hpp"

namespace reeltag::http::server {

// State shared by a server's connections; outlives them.
struct ServerContext {
  const Options& options;
  const Router& router;
  metrics::Registry& registry;
  WorkerPool& pool;
  RateLimit& rate;
  const Proxies& proxies;
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
  Connection(Socket socket, ServerContext& server, Client connected);

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

// One client's socket: what was read and not used yet, deadlines, and whether the client is still there. Private to the
// server; all of it on the thread of its io_context, which poke() and post() alone may be called beside.
// Its coroutines are awaited one at a time; watch() goes on beside them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace reeltag::http::server {

// Named types instead of any_io_executor: no virtual call and no allocation an operation.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
template <class T>
using Awaitable = boost::asio::awaitable<T, Executor>;
using Clock = std::chrono::steady_clock;
// Errors come back as values: a client that goes away is no exception.
constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> kAwait{};

inline Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

class ClientSocket : public std::enable_shared_from_this<ClientSocket> {
 public:
  enum class Outcome {
    ok,
    gone,  // closed or broken by the client, or by interrupt()
    late   // the deadline passed
  };

  ClientSocket(Socket socket, std::size_t buffer_bytes);

  // Reads more behind unread(). Needs room: see has_room().
  Awaitable<Outcome> read(Clock::time_point deadline);
  [[nodiscard]] std::string_view unread() const;
  void consume(std::size_t bytes) { begin_ += bytes; }
  [[nodiscard]] bool has_room() const { return end_ - begin_ < buffer_.size(); }
  void enlarge(std::size_t buffer_bytes);

  Awaitable<Outcome> write(std::string_view head, std::string_view body, Clock::time_point deadline);

  // Waits for poke() or for the time; true when poked.
  Awaitable<bool> sleep(Clock::duration time);
  void poke();  // any thread, as long as the io_context lives

  // Calls `gone` once when the client closes or breaks the connection, until unwatch().
  void watch(std::function<void()> gone);
  void unwatch();

  // Says that nothing more is coming and waits a little for the client to read it: closing while bytes of his are
  // unread would reset the connection and take the answer away from him.
  Awaitable<void> linger();
  void interrupt();  // the coroutine that is awaited ends with gone
  void close();
  [[nodiscard]] Executor executor() { return socket_.get_executor(); }

 private:
  void arm(Clock::time_point deadline);
  void disarm() { deadline_ = Clock::time_point::max(); }
  void start_timer();
  [[nodiscard]] Outcome outcome(const boost::system::error_code& ec) const;

  Socket socket_;
  Timer deadline_timer_;
  Timer sleep_timer_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timer_runs_ = false;
  bool late_ = false;
  bool poked_ = false;
};

}  // namespace reeltag::http::server

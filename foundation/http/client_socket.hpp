// One client's socket: buffered input, deadlines, detection of a disconnected client. Private to the server.
// Use it on the thread of its io_context; only poke() and post() may be called from other threads.
// Its coroutines are awaited one at a time; watch() may run at the same time. Owns the socket.
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

// Named types instead of any_io_executor: avoids a virtual call and an allocation per operation.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
template <class T>
using Awaitable = boost::asio::awaitable<T, Executor>;
using Clock = std::chrono::steady_clock;
// Returns errors as values: a disconnected client is not an exception.
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

  // Appends input to unread(). Requires has_room().
  Awaitable<Outcome> read(Clock::time_point deadline);
  [[nodiscard]] std::string_view unread() const;
  void consume(std::size_t bytes) { begin_ += bytes; }
  [[nodiscard]] bool has_room() const { return end_ - begin_ < buffer_.size(); }
  void enlarge(std::size_t buffer_bytes);

  Awaitable<Outcome> write(std::string_view head, std::string_view body, Clock::time_point deadline);

  // Waits for poke() or until the time is over; true if poked.
  Awaitable<bool> sleep(Clock::duration time);
  void poke();  // any thread, while the io_context lives

  // Calls `gone` once if the client closes or breaks the connection before unwatch().
  void watch(std::function<void()> gone);
  void unwatch();

  // Shuts down sending and waits briefly for the client to read: closing while bytes from the client are unread would
  // reset the connection and discard the response.
  Awaitable<void> linger();
  void interrupt();  // ends the coroutine that is awaited with Outcome::gone
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

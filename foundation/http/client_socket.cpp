#include "client_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace reeltag::http::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kLinger = std::chrono::seconds(2);
constexpr std::size_t kLingerBytes = 32 << 20;

}  // namespace

ClientSocket::ClientSocket(Socket socket, std::size_t buffer_bytes)
    : socket_(std::move(socket)),
      deadline_timer_(socket_.get_executor()),
      sleep_timer_(socket_.get_executor()),
      buffer_(buffer_bytes) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

std::string_view ClientSocket::unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

void ClientSocket::enlarge(std::size_t buffer_bytes) {
  if (buffer_.size() < buffer_bytes) buffer_.resize(buffer_bytes);
}

ClientSocket::Outcome ClientSocket::outcome(const error_code& ec) const {
  if (!ec) return Outcome::ok;
  return late_ ? Outcome::late : Outcome::gone;
}

Awaitable<ClientSocket::Outcome> ClientSocket::read(Clock::time_point deadline) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  arm(deadline);
  const auto [ec, bytes] =
      co_await socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), kAwait);
  disarm();
  end_ += bytes;
  co_return outcome(ec);
}

Awaitable<ClientSocket::Outcome> ClientSocket::write(std::string_view head, std::string_view body,
                                                     Clock::time_point deadline) {
  arm(deadline);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head.data(), head.size()),
                                                  asio::buffer(body.data(), body.size())};
  const auto [ec, bytes] = co_await asio::async_write(socket_, buffers, kAwait);
  disarm();
  co_return outcome(ec);
}

Awaitable<bool> ClientSocket::sleep(Clock::duration time) {
  if (!poked_) {
    sleep_timer_.expires_after(time);
    co_await sleep_timer_.async_wait(kAwait);
  }
  co_return std::exchange(poked_, false);
}

void ClientSocket::poke() {
  asio::post(executor(), [self = shared_from_this()] {
    self->poked_ = true;
    self->sleep_timer_.cancel();
  });
}

void ClientSocket::watch(std::function<void()> gone) {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this(), gone = std::move(gone)](const error_code& ec) {
    if (ec) return;
    char next = 0;
    const auto got = ::recv(self->socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    // Early bytes of a next request hide the end of the stream; then writing detects it.
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) gone();
  });
}

void ClientSocket::unwatch() {
  error_code ignored;
  socket_.cancel(ignored);
}

Awaitable<void> ClientSocket::linger() {
  error_code ec;
  socket_.shutdown(Socket::shutdown_send, ec);
  const auto deadline = Clock::now() + kLinger;
  std::size_t left = kLingerBytes;
  while (!ec && left > 0) {
    begin_ = end_ = 0;
    const Outcome got = co_await read(deadline);
    if (got != Outcome::ok) break;
    left -= std::min(left, end_);
  }
}

void ClientSocket::interrupt() {
  error_code ignored;
  socket_.cancel(ignored);
}

void ClientSocket::close() {
  disarm();
  deadline_timer_.cancel();
  sleep_timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

// Deadlines change with every operation but are rarely reached: the timer runs to the deadline that it was started for
// and then checks the current one, instead of being restarted each time.
void ClientSocket::arm(Clock::time_point deadline) {
  deadline_ = deadline;
  late_ = false;
  if (!timer_runs_ || deadline < deadline_timer_.expiry()) start_timer();
}

void ClientSocket::start_timer() {
  timer_runs_ = true;
  deadline_timer_.expires_at(deadline_);
  deadline_timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec) return;  // restarted, or closed
    if (self->deadline_ == Clock::time_point::max()) {
      self->timer_runs_ = false;
    } else if (Clock::now() < self->deadline_) {
      self->start_timer();
    } else {
      self->timer_runs_ = false;
      self->late_ = true;
      self->interrupt();
    }
  });
}

}  // namespace reeltag::http::server

// The part of Connection that writes responses.
#include <algorithm>

#include "connection.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::http::server {
namespace {

constexpr std::size_t kPiece = 64 << 10;          // written under one deadline
constexpr std::size_t kContentPiece = 256 << 10;  // read from a Content at a time

}  // namespace

Awaitable<bool> Connection::write_reply(Reply& reply) {
  if (const auto* text = std::get_if<std::string>(&reply.body)) {
    co_return co_await write_text(reply.head, *text);
  }
  const bool written = co_await write_text(reply.head, {});
  if (!written) co_return false;
  if (const auto* content = std::get_if<Content>(&reply.body)) {
    co_return co_await write_content(*content, reply.first, reply.count);
  }
  if (const auto* chunks = std::get_if<Chunks>(&reply.body)) {
    co_return co_await write_chunks(*chunks, reply.chunked);
  }
  co_return co_await write_events(std::get<Events>(reply.body), reply.chunked);
}

Awaitable<bool> Connection::write_text(std::string_view head, std::string_view body) {
  do {
    const auto piece = body.substr(0, kPiece);
    const auto begin = Clock::now();
    const Outcome put = co_await socket_->write(head, piece, begin + seconds(options_.stall_timeout));
    if (put != Outcome::ok) co_return false;
    out_.waited += std::chrono::duration<double>(Clock::now() - begin).count();
    out_.bytes += static_cast<double>(piece.size());
    sent_ += static_cast<std::int64_t>(piece.size());
    body.remove_prefix(piece.size());
    head = {};
    if (!body.empty() && out_.is_too_slow(options_)) co_return false;
  } while (!body.empty());
  co_return true;
}

Awaitable<bool> Connection::write_content(const Content& content, std::int64_t first, std::int64_t count) {
  std::string buffer(static_cast<std::size_t>(std::min<std::int64_t>(count, kContentPiece)), '\0');
  while (count > 0) {
    std::size_t got = 0;
    auto read = [&] {
      const auto wanted = std::min(buffer.size(), static_cast<std::size_t>(count));
      got = std::min(content.read(first, std::span(buffer.data(), wanted)), wanted);
      return Response{};
    };
    Answer done = co_await response_of(read);
    if (done->status != 200 || got == 0)
      co_return false;  // too late for another status: the short body shows the failure
    const bool written = co_await write_text({}, std::string_view(buffer).substr(0, got));
    if (!written || out_.is_too_slow(options_)) co_return false;
    first += static_cast<std::int64_t>(got);
    count -= static_cast<std::int64_t>(got);
  }
  co_return true;
}

Awaitable<bool> Connection::write_chunks(const Chunks& chunks, bool chunked) {
  for (;;) {
    std::string text;
    auto next = [&] {
      text = chunks.next();
      return Response{};
    };
    Answer done = co_await response_of(next);
    if (done->status != 200) co_return false;
    const std::string wire = chunked ? chunk_of(text) : text;
    const bool last = text.empty();
    if (last && !chunked) co_return true;
    // A zero chunk ends the body; hence "0" CRLF CRLF is what chunk_of returns for an empty text.
    const bool written = co_await write_text({}, wire);
    if (!written || out_.is_too_slow(options_)) co_return false;
    if (last) co_return true;
  }
}

Awaitable<bool> Connection::write_events(const Events& events, bool chunked) {
  auto stream = std::make_shared<EventStream>([weak = std::weak_ptr(socket_)] {
    if (const auto socket = weak.lock()) socket->poke();
  });
  auto begin = [&] {
    events.begin(stream);
    return Response{};
  };
  Answer begun = co_await response_of(begin);
  bool whole = begun->status == 200;
  if (whole) {
    socket_->watch([self = shared_from_this()] {
      self->has_gone_ = true;
      self->stop_.request_stop();
      self->socket_->poke();
    });
    whole = co_await write_waiting_events(*stream, chunked);
    socket_->unwatch();
  }
  stream->cut();
  co_return whole;
}

// Runs until the stream is closed, the client disconnects or the server stops.
Awaitable<bool> Connection::write_waiting_events(EventStream& stream, bool chunked) {
  for (;;) {
    const bool last = stream.is_closed() || server_.draining;
    std::string text = stream.take();
    if (has_gone_) co_return false;
    if (text.empty() && !last) {
      const bool poked = co_await socket_->sleep(seconds(options_.heartbeat));
      if (poked) continue;
      text = ":\n\n";  // a comment: keeps proxies from closing the connection, and detects whether the client is there
    }
    if (!text.empty()) {
      const std::string wire = chunked ? chunk_of(text) : text;
      const bool written = co_await write_text({}, wire);
      if (!written) co_return false;
      out_ = {};  // events come at any time, so the rate does not apply
    }
    if (!last) continue;
    if (!chunked) co_return true;
    const std::string end = chunk_of({});
    co_return co_await write_text({}, end);
  }
}

}  // namespace reeltag::http::server

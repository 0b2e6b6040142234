// What a handler of the server is given and what it gives back.
// Request, Response: values, one thread at a time. EventStream: thread-safe, shared by server and handler.
// Failure: return problem(error) for what the client should read. Whatever a handler throws is logged, and the client
// learns no more than 500 (503 where the code is unavailable or interrupted).
//
//   router.get("/v1/videos/{video}", [&](const server::Request& request) {
//     const auto facts = catalog.find(request.parameter("video"));
//     return facts ? server::json(*facts) : server::problem(facts.error());
//   });
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::http::server {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = {};
  std::string path = {};                                         // as sent, without the query
  std::string route = {};                                        // the pattern that it matched
  Pairs parameters = {};                                         // of the pattern, decoded
  Pairs query = {};                                              // decoded, in order
  std::map<std::string, std::string, std::less<>> headers = {};  // by names in lower case; repeated ones joined by ", "
  std::string peer = {};                            // the address that asks: that connected, or as a trusted proxy says
  std::string id = {};                              // X-Request-Id, the client's or made here
  std::string body = {};                            // empty in routes that stream it
  std::optional<std::int64_t> content_length = {};  // as declared; none when chunked
  std::stop_token stop = {};  // requested when the client has gone, or a drain has passed its limit

  // Empty where there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  [[nodiscard]] std::string cookie(std::string_view name) const;
  // The first of this name.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

// One server-sent event. data may have several lines.
struct Event {
  std::string data = {};
  std::string event = {};  // its type; empty: "message"
  std::string id = {};
};

// Events to one client. Whoever holds it sends from any thread; nothing blocks.
class EventStream {
 public:
  static constexpr std::size_t kMaxWaitingBytes = 1 << 20;

  // False when no event will arrive any more: the client has gone, or reads so slowly that kMaxWaitingBytes wait (it is
  // then cut off and may come back with Last-Event-ID), or the server is draining. Line breaks in event or id are
  // Exception(invalid_argument).
  bool send(const Event& event);
  // The client has all events that were sent, then the end.
  void close();
  [[nodiscard]] bool is_closed() const;

  // For the server. `wake` is called from send() and close(); it must not call back. After cut() it is not called.
  explicit EventStream(std::function<void()> wake);
  ~EventStream();
  [[nodiscard]] std::string take();  // all that waits, as it goes over the wire
  void cut();                        // nothing will be taken any more

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bytes that can be read from anywhere in them: ranges are served from it.
struct Content {
  std::int64_t size = 0;
  // Fills a part of `into` (at least one byte) from this offset on; called on worker threads. Throws when it cannot.
  std::function<std::size_t(std::int64_t offset, std::span<char> into)> read = {};
};

// Bytes of unknown number: `next` gives pieces until an empty one, on worker threads. A throw cuts the connection, so
// that the client can tell it from the end.
struct Chunks {
  std::function<std::string()> next = {};
};

// `begin` is called on a worker thread once the head is written; the stream lives as long as anyone holds it.
struct Events {
  std::function<void(std::shared_ptr<EventStream>)> begin = {};
};

// An RFC 9457 problem; the server adds the request's id.
struct Problem {
  std::string code = {};
  std::string detail = {};
};

struct Response {
  int status = 200;
  // Without Content-Length, Transfer-Encoding, Connection, Date and X-Request-Id, which the server sets. An ETag makes
  // If-None-Match work on any body.
  Pairs headers = {};
  std::variant<std::string, Content, Chunks, Events, Problem> body = {};

  Response& with(std::string name, std::string value) & {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Response&& with(std::string name, std::string value) && { return std::move(with(std::move(name), std::move(value))); }
};

Response text(std::string body, std::string content_type = "text/plain; charset=utf-8");
Response json(const nlohmann::json& value, int status = 200);
// Opened here; an ETag of its time and size, Last-Modified, ranges. Fails with not_found, permission_denied,
// unavailable; what is no regular file is not_found. The message names the path: answer clients in other words.
Result<Response> file(const std::filesystem::path& path, std::string content_type);
Response chunks(std::function<std::string()> next, std::string content_type);
Response events(std::function<void(std::shared_ptr<EventStream>)> begin);

// The one table from codes to HTTP statuses.
int http_status(Code code) noexcept;
// "Not Found"; "Unknown" for a number that means nothing here.
std::string_view reason(int status) noexcept;
// The error's message is shown to the client.
Response problem(const Error& error);
Response problem(int status, std::string code, std::string detail);

// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string http_date(std::time_t time);

// Takes one body as it arrives, so that it never stands in memory. Made for one request; its functions are called one
// after the other, on worker threads. Destroyed without finish(): the connection broke, or write() failed; whatever had
// arrived before was given to write().
class Upload {
 public:
  virtual ~Upload() = default;
  // May block: nothing more is read from the connection meanwhile. An error ends it and is answered by refusal().
  virtual Result<void> write(std::string_view part) = 0;
  virtual Response refusal(const Error& error) { return problem(error); }
  // The body is whole.
  virtual Response finish() = 0;
};

using Handler = std::function<Response(const Request& request)>;
// Called with the head, before "100 Continue" and before any byte of the body is read: the answer to refuse it, or who
// takes it.
using BeginUpload = std::function<std::variant<Response, std::unique_ptr<Upload>>(const Request& request)>;
// Looks at a request's head before its body is read (authentication); an answer refuses it.
using Check = std::function<std::optional<Response>(const Request& request)>;

}  // namespace reeltag::http::server

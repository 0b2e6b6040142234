// The types that a server handler receives and returns.
// Request, Response: values, one thread at a time. EventStream: thread-safe, shared by server and handler.
// Failure: return problem(error) for errors meant for the client. An exception from a handler is logged, and the client
// sees only 500 (503 if the code is unavailable or interrupted).
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
  std::string route = {};                                        // the pattern of the matched route
  Pairs parameters = {};                                         // values of the pattern's parameters, decoded
  Pairs query = {};                                              // decoded, in order
  std::map<std::string, std::string, std::less<>> headers = {};  // keys in lower case; repeated fields joined by ", "
  std::string peer = {};    // the client's address: of the connection, or as reported by a trusted proxy
  std::string client = {};  // whom limits count for: the peer's address, for IPv6 its /64
  std::string id = {};      // X-Request-Id, from the client or generated
  std::string body = {};    // empty for routes that stream it
  std::optional<std::int64_t> content_length = {};  // as declared; none if chunked
  std::stop_token stop = {};  // requested when the client disconnects, or a drain exceeds its limit

  // Empty if there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  [[nodiscard]] std::string cookie(std::string_view name) const;
  // The first value with this name.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

// One server-sent event. data may have several lines.
struct Event {
  std::string data = {};
  std::string event = {};  // the type; empty: "message"
  std::string id = {};
};

// Sends events to one client. Any thread that holds it may send; nothing blocks.
class EventStream {
 public:
  static constexpr std::size_t kMaxWaitingBytes = 1 << 20;

  // False if no further event will arrive: the client has disconnected, or reads so slowly that kMaxWaitingBytes are
  // queued (it is then disconnected and may return with Last-Event-ID), or the server is draining. Line breaks in event
  // or id throw Exception(invalid_argument).
  bool send(const Event& event);
  // Ends the stream after all events that were sent.
  void close();
  [[nodiscard]] bool is_closed() const;

  // For the server. send() and close() call `wake`, which must not call back. After cut() it is not called.
  explicit EventStream(std::function<void()> wake);
  ~EventStream();
  [[nodiscard]] std::string take();  // all queued events in wire format
  void cut();                        // no further take() will follow

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A body with random access; the server uses it for range requests.
struct Content {
  std::int64_t size = 0;
  // Fills a part of `into` (at least one byte) from this offset on; called on worker threads. Throws on failure.
  std::function<std::size_t(std::int64_t offset, std::span<char> into)> read = {};
};

// A body of unknown length: `next` returns pieces until an empty one, on worker threads. An exception cuts the
// connection, so that the client can tell it from the end.
struct Chunks {
  std::function<std::string()> next = {};
};

// `begin` is called on a worker thread after the head is written; the stream lives as long as anyone holds it.
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
  // Excludes Content-Length, Transfer-Encoding, Connection, Date and X-Request-Id, which the server sets. With an ETag,
  // If-None-Match works for any body.
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
// Opens the file now; supports an ETag from time and size, Last-Modified and ranges. Fails with not_found (also if it
// is not a regular file), permission_denied, unavailable. The message contains the path: do not send it to clients.
Result<Response> file(const std::filesystem::path& path, std::string content_type);
Response chunks(std::function<std::string()> next, std::string content_type);
Response events(std::function<void(std::shared_ptr<EventStream>)> begin);

// The single mapping from codes to HTTP statuses.
int http_status(Code code) noexcept;
// "Not Found"; "Unknown" for an unknown status.
std::string_view reason(int status) noexcept;
// The client sees the error's message.
Response problem(const Error& error);
Response problem(int status, std::string code, std::string detail);

// "Sun, 06 Nov 1994 08:49:37 GMT", in any locale.
std::string http_date(std::time_t time);

// Receives one request body in pieces, so that it is never in memory as a whole. Created per request; its functions are
// called one after the other, on worker threads. Destroyed without finish() if the connection broke or write() failed;
// write() has then received all bytes that arrived.
class Upload {
 public:
  virtual ~Upload() = default;
  // May block; the connection is not read meanwhile. An error ends the upload, and refusal() makes the response.
  virtual Result<void> write(std::string_view part) = 0;
  virtual Response refusal(const Error& error) { return problem(error); }
  // Called once the body is complete.
  virtual Response finish() = 0;
};

using Handler = std::function<Response(const Request& request)>;
// Called with the head, before "100 Continue" and before any byte of the body is read. Returns a response to refuse the
// upload, or the receiver of the body.
using BeginUpload = std::function<std::variant<Response, std::unique_ptr<Upload>>(const Request& request)>;
// Checks a request's head before its body is read (authentication); a returned response refuses the request.
using Check = std::function<std::optional<Response>(const Request& request)>;

}  // namespace reeltag::http::server

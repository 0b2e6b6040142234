#include "connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <random>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include "reeltag/base/log.hpp"
#include "target.hpp"

namespace reeltag::http::server {
namespace {

namespace asio = boost::asio;

// A request id goes into logs and headers, so an untrusted client may choose it only within these bounds.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

std::string new_request_id() {
  thread_local std::mt19937_64 random(std::random_device{}());
  std::array<char, 17> text{};
  const auto end = std::to_chars(text.begin(), text.end(), random() | 1ULL << 63, 16).ptr;
  return {text.data(), end};
}

std::string method_label(const std::string& method) {
  static constexpr std::array<std::string_view, 7> kKnown{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(kKnown.begin(), kKnown.end(), method) == kKnown.end() ? "other" : method;
}

Response too_large(std::int64_t limit) {
  return problem(413, "too_large", "the body is larger than " + std::to_string(limit) + " bytes");
}

Response overloaded() {
  return problem(503, "overloaded", "too many requests are waiting; try again in a moment").with("Retry-After", "1");
}

// The response to a handler's exception; reveals no internals to the client.
Response thrown(Code code, std::string_view message, const Request& request) {
  log::error("http_handler_failed", {{"route", request.route}, {"code", code_name(code)}, {"message", message}});
  if (code == Code::unavailable || code == Code::interrupted)
    return problem(503, "unavailable", "a part of the service does not answer; try again later")
        .with("Retry-After", "5");
  return problem(500, "internal", "the request failed; its id finds the reason in the log");
}

Response guarded(const std::function<Response()>& make, const Request& request) {
  const log::Scope scope{{"request", request.id}};
  try {
    return make();
  } catch (const Exception& e) {
    return thrown(e.code(), e.what(), request);
  } catch (const std::exception& e) {
    return thrown(Code::internal, e.what(), request);
  } catch (...) {
    return thrown(Code::internal, "something that is no exception", request);
  }
}

}  // namespace

Connection::Connection(Socket socket, ServerContext& server, Client connected, bool for_probes)
    : server_(server),
      options_(server.options),
      connected_(std::move(connected)),
      for_probes_(for_probes),
      socket_(std::make_shared<ClientSocket>(std::move(socket),
                                             static_cast<std::size_t>(options_.max_header_bytes) + 1024)) {}

void Connection::drain() {
  asio::post(socket_->executor(), [self = shared_from_this()] {
    if (self->idle_) self->socket_->interrupt();
  });
  socket_->poke();
}

void Connection::break_off() {
  asio::post(socket_->executor(), [self = shared_from_this()] {
    self->stop_.request_stop();
    self->socket_->close();
  });
  socket_->poke();
}

Awaitable<void> Connection::run() {
  bool again = true;
  for (bool first = true; again; first = false) {
    prepare();
    again = co_await read_head(first);
    if (again) again = co_await exchange();
  }
  socket_->close();
}

// Resets the state to that before a request's first byte.
void Connection::prepare() {
  parser_.emplace(RequestParser::Limits{.header_bytes = static_cast<std::size_t>(options_.max_header_bytes),
                                        .headers = static_cast<std::size_t>(options_.max_headers),
                                        .target_bytes = static_cast<std::size_t>(options_.max_target_bytes)});
  route_ = nullptr;
  stop_ = {};
  began_ = has_gone_ = false;
  received_ = sent_ = 0;
  in_ = out_ = {};
}

// False if there is no further request to answer.
Awaitable<bool> Connection::read_head(bool first) {
  if (socket_->unread().empty()) {
    if (server_.draining) co_return false;
    idle_ = true;
    const double wait = first ? options_.header_timeout : options_.idle_timeout;
    const Outcome got = co_await socket_->read(Clock::now() + seconds(wait));
    idle_ = false;
    if (got != Outcome::ok) co_return false;
  }
  begin_ = Clock::now();
  const auto deadline = begin_ + seconds(options_.header_timeout);
  if (socket_->unread().starts_with("\r\n")) socket_->consume(2);  // RFC 9112, 2.2
  while (!parser_->has_head()) {
    const std::size_t used = parser_->feed(socket_->unread());
    socket_->consume(used);
    if (parser_->failure()) break;
    if (used > 0) continue;
    Outcome got = Outcome::late;
    if (socket_->has_room()) got = co_await socket_->read(deadline);
    if (got == Outcome::gone) co_return false;
    if (got == Outcome::ok) continue;
    co_await answer(problem(408, "timeout", "the request's head did not come in time"));
    co_return false;
  }
  if (parser_->failure()) {
    co_await answer(failure());
    co_return false;
  }
  co_return true;
}

Response Connection::failure() const {
  const auto& found = *parser_->failure();
  return problem(found.status, found.code, found.detail);
}

// True if another request may follow.
Awaitable<bool> Connection::exchange() {
  Request& request = parser_->request();
  client_ = connected_.is_proxy ? server_.proxies.behind(connected_, request.header("x-forwarded-for")) : connected_;
  request.peer = client_.address;
  request.client = client_.key;
  const auto id = request.header("x-request-id");
  request.id = is_request_id(id) ? std::string(id) : new_request_id();
  request.stop = stop_.get_token();
  server_.registry.gauge("reeltag_http_requests_running", "Requests being answered").add(1);
  Answer response = refusal();
  // Behind a proxy requests stand for connections: each has one of the proxy's for as long as it is answered.
  const bool counted = !response && connected_.is_proxy;
  const bool entered = !counted || server_.running.enter(client_.key, options_.max_connections_per_address);
  if (!entered) response = problem(429, "rate_limited", "too many requests of yours at once").with("Retry-After", "1");
  if (!response) {
    if (route_->begin) {
      response = co_await upload();
    } else {
      response = co_await handle();
    }
  }
  bool again = false;
  if (response) {
    again = co_await answer(std::move(*response));
  } else {
    finish(499);  // nginx's status for a client that disconnected
  }
  if (counted && entered) server_.running.leave(client_.key);
  server_.registry.gauge("reeltag_http_requests_running", "Requests being answered").add(-1);
  co_return again;
}

// Checks that need only the head and no pool thread.
Connection::Answer Connection::refusal() {
  Request& request = parser_->request();
  auto found = server_.router.find(request.method, parser_->segments());
  if (request.path == "*") found = {};
  route_ = found.route;
  request.parameters = std::move(found.parameters);
  if (route_ != nullptr) request.route = route_->pattern;
  if (auto refused = over_connections()) return refused;
  if (route_ == nullptr || route_->options.limited) {
    if (auto refused = over_rate()) return refused;
  }
  if (route_ == nullptr) return without_route(found);
  if (!request.header("expect").empty() && !parser_->expects_continue() && !parser_->is_http_1_0())
    return problem(417, "expectation_failed", "of expectations only 100-continue");
  const auto coding = lower_case(request.header("content-encoding"));
  if (!coding.empty() && coding != "identity") {
    return problem(415, "unsupported", "bodies are not decompressed here: send it without Content-Encoding")
        .with("Accept-Encoding", "identity");
  }
  const auto limit = route_->options.max_body >= 0 ? route_->options.max_body : options_.max_body_bytes;
  if (request.content_length.value_or(0) > limit) return too_large(limit);
  return std::nullopt;
}

Connection::Answer Connection::over_connections() {
  const bool is_probe = route_ != nullptr && route_->options.quiet;
  if (!for_probes_ || is_probe) return std::nullopt;
  return problem(429, "rate_limited", "too many connections from this address").with("Retry-After", "1");
}

Connection::Answer Connection::over_rate() {
  const auto wait = server_.rate.take(client_.key, Clock::now());
  if (!wait) return std::nullopt;
  return problem(429, "rate_limited", "too many requests; wait as Retry-After says")
      .with("Retry-After", std::to_string(static_cast<std::int64_t>(std::ceil(*wait))));
}

Connection::Answer Connection::without_route(const Router::Match& found) {
  const Request& request = parser_->request();
  if (request.method == "OPTIONS" && (request.path == "*" || !found.allowed.empty())) {
    Response response{.status = 204};
    std::string allow;
    for (const auto& method : found.allowed) allow += (allow.empty() ? "" : ", ") + method;
    return std::move(response).with("Allow", allow.empty() ? "OPTIONS" : allow);
  }
  if (found.allowed.empty()) return problem(404, "not_found", "there is nothing at this path");
  std::string allow;
  for (const auto& method : found.allowed) allow += (allow.empty() ? "" : ", ") + method;
  return problem(405, "method_not_allowed", "this path has " + allow).with("Allow", allow);
}

// Runs work on a worker thread and returns to this one. False if the queue is full.
Awaitable<bool> Connection::on_worker(std::function<void()> work) {
  auto initiate = [this, &work](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = socket_->executor();
    auto task = [work = std::move(work), shared, executor]() mutable {
      work();
      work = nullptr;  // destroys its captures before the coroutine continues
      asio::post(executor, [shared = std::move(shared)] { (*shared)(true); });
    };
    if (std::exchange(began_, true)) {
      server_.pool.go_on(std::move(task));
    } else if (!server_.pool.start(std::move(task))) {
      began_ = false;
      asio::post(executor, [shared] { (*shared)(false); });
    }
  };
  const auto [accepted] = co_await asio::async_initiate<const decltype(kAwait)&, void(bool)>(initiate, kAwait);
  co_return accepted;
}

Awaitable<Connection::Answer> Connection::response_of(std::function<Response()> make) {
  Response response;
  const Request& request = parser_->request();
  auto work = [&response, &request, &make] { response = guarded(make, request); };
  const bool accepted = co_await on_worker(work);
  if (!accepted) co_return overloaded();
  co_return std::move(response);
}

Awaitable<Connection::Answer> Connection::handle() {
  const Request& request = parser_->request();
  if (server_.router.check()) {
    Answer refused;
    auto check = [this, &request, &refused] {
      refused = server_.router.check()(request);
      return Response{};
    };
    Answer checked = co_await response_of(check);
    if (refused) co_return refused;
    if (checked->status != 200) co_return checked;
  }
  if (!parser_->is_done()) {
    Answer refused = co_await receive_body();
    if (!refused) co_return std::nullopt;
    if (refused->status != 200) co_return refused;
  }
  socket_->watch([self = shared_from_this()] { self->stop_.request_stop(); });
  auto call = [this, &request] { return route_->handler(request); };
  Answer response = co_await response_of(call);
  socket_->unwatch();
  co_return response;
}

Awaitable<bool> Connection::write_continue() {
  if (!parser_->expects_continue() || parser_->is_done() || received_ > 0 || !socket_->unread().empty()) co_return true;
  co_return co_await write_text("HTTP/1.1 100 Continue\r\n\r\n", {});
}

// Status 200 if parser_->piece() holds the next bytes of the body, or is empty and the body is complete.
Awaitable<Connection::Answer> Connection::next_piece() {
  const auto limit = route_->options.max_body >= 0 ? route_->options.max_body : options_.max_body_bytes;
  while (!parser_->is_done()) {
    const std::size_t used = parser_->feed(socket_->unread());
    socket_->consume(used);
    if (parser_->failure()) co_return failure();
    received_ += static_cast<std::int64_t>(parser_->piece().size());
    if (received_ > limit) co_return too_large(limit);
    if (!parser_->piece().empty()) co_return Response{};
    if (used > 0) continue;
    if (!socket_->has_room()) co_return problem(400, "bad_request", "a chunk's head or the trailer is too long");
    const auto begin = Clock::now();
    const auto before = socket_->unread().size();
    const Outcome got = co_await socket_->read(begin + seconds(options_.stall_timeout));
    if (got == Outcome::gone) co_return std::nullopt;
    in_.waited += std::chrono::duration<double>(Clock::now() - begin).count();
    in_.bytes += static_cast<double>(socket_->unread().size() - before);
    if (got == Outcome::late || in_.is_too_slow(options_))
      co_return problem(408, "timeout", "the body comes too slowly");
  }
  co_return Response{};
}

Awaitable<Connection::Answer> Connection::receive_body() {
  const bool open = co_await write_continue();
  if (!open) co_return std::nullopt;
  std::string& body = parser_->request().body;
  for (;;) {
    Answer got = co_await next_piece();
    if (!got || got->status != 200) co_return got;
    if (parser_->piece().empty()) co_return got;
    body += parser_->piece();
    if (parser_->is_done()) co_return got;
  }
}

Awaitable<Connection::Answer> Connection::upload() {
  const Request& request = parser_->request();
  std::unique_ptr<Upload> to;
  auto begin = [this, &request, &to]() -> Response {
    if (server_.router.check()) {
      if (auto refused = server_.router.check()(request)) return std::move(*refused);
    }
    auto begun = route_->begin(request);
    if (auto* refused = std::get_if<Response>(&begun)) return std::move(*refused);
    to = std::move(std::get<std::unique_ptr<Upload>>(begun));
    return {};
  };
  Answer response = co_await response_of(begin);
  if (!to) co_return response;
  const bool open = co_await write_continue();
  if (open) {
    response = co_await pass_on(to);
  } else {
    response.reset();
  }
  if (to) {  // its destructor may block
    auto drop = [&to] { to.reset(); };
    co_await on_worker(drop);
  }
  co_return response;
}

// Passes the body to the upload, piece by piece, and finishes it.
Awaitable<Connection::Answer> Connection::pass_on(std::unique_ptr<Upload>& to) {
  constexpr std::size_t kPiece = 256 << 10;  // smaller pieces cost more than the copy that they save
  socket_->enlarge(kPiece);
  std::string gathered;  // collects small chunks, so that not each of them costs a thread switch
  Response outcome;
  auto take = [&to, &gathered, this]() -> Response {
    const auto took = to->write(gathered.empty() ? parser_->piece() : std::string_view(gathered));
    gathered.clear();
    return took ? Response{} : to->refusal(took.error());
  };
  for (bool last = false; !last;) {
    Answer got = co_await next_piece();
    const bool failed = !got || got->status != 200;
    const auto piece = parser_->piece();
    if (!failed && (!gathered.empty() || piece.size() < kPiece / 16)) gathered += piece;
    last = failed || parser_->is_done();
    const bool enough = last || gathered.empty() || gathered.size() >= kPiece / 4 || socket_->unread().empty();
    if (enough && !(gathered.empty() && (failed || piece.empty()))) {
      Answer took = co_await response_of(take);
      if (took->status != 200) co_return took;
    }
    if (failed) co_return got;  // all earlier bytes were passed on
  }
  auto end = [&to] {
    Response response = to->finish();
    to.reset();
    return response;
  };
  co_return co_await response_of(end);
}

// Writes the whole response; true if another request may follow.
Awaitable<bool> Connection::answer(Response response) {
  Request& request = parser_->request();
  if (request.id.empty()) request.id = new_request_id();  // its head could not be parsed
  Framing framing{
      .keep = parser_->is_done() && !parser_->failure() && parser_->keeps_alive() && !server_.draining && !for_probes_,
      .http_1_0 = parser_->has_head() && parser_->is_http_1_0()};
  std::optional<Reply> reply;
  try {
    reply = make_reply(std::move(response), request, framing);
  } catch (const Exception& e) {
    const log::Scope scope{{"request", request.id}};
    reply = make_reply(thrown(e.code(), e.what(), request), request, framing);
  }
  const bool written = co_await write_reply(*reply);
  finish(reply->status);
  if (!written) co_return false;
  if (!reply->keep) co_await socket_->linger();
  co_return reply->keep;
}

// Writes the log line and updates the metrics of one request.
void Connection::finish(int status) {
  const Request& request = parser_->request();
  const double took = std::chrono::duration<double>(Clock::now() - begin_).count();
  const std::string route = route_ == nullptr ? "none" : route_->pattern;
  const std::string method = method_label(request.method);
  server_.registry
      .counter("reeltag_http_requests_total", "Requests by route, method and status",
               {{"route", route}, {"method", method}, {"code", std::to_string(status)}})
      .add();
  server_.registry
      .histogram("reeltag_http_request_duration_seconds", "From a request's first byte to its answer's last",
                 {{"route", route}}, metrics::seconds_buckets())
      .observe(took);
  const auto level = route_ != nullptr && route_->options.quiet ? log::Level::debug : log::Level::info;
  if (!log::enabled(level)) return;
  log::write(level, "http_request",
             {{"method", method},
              {"route", route},
              {"status", status},
              {"bytes", sent_},
              {"milliseconds", std::round(took * 1e5) / 100},
              {"request", request.id}});
}

}  // namespace reeltag::http::server

#include "reeltag/http/exchange.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>

#include <nlohmann/json.hpp>

#include "conditional.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/json.hpp"
#include "target.hpp"

namespace reeltag::http::server {
namespace {

std::optional<std::string_view> first_of(const Pairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

bool has_line_break(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

// Lines end in \n, \r\n or \r: each becomes a separate data field.
std::string wire_text(const Event& event) {
  std::string out;
  if (!event.event.empty()) out += "event: " + event.event + '\n';
  if (!event.id.empty()) out += "id: " + event.id + '\n';
  std::string_view rest = event.data;
  for (;;) {
    const auto end = rest.find_first_of("\r\n");
    out += "data: " + std::string(rest.substr(0, end)) + '\n';
    if (end == std::string_view::npos) return out + '\n';
    rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
  }
}

Error file_error(const std::filesystem::path& path, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::not_found
                    : number == EACCES || number == EPERM ? Code::permission_denied
                                                          : Code::unavailable;
  return {code, "cannot read " + path.string() + ": " + std::generic_category().message(number)};
}

std::string etag_of(const struct stat& facts) {
  const auto part = [](auto value) { return std::to_string(value); };
  return '"' + part(facts.st_mtim.tv_sec) + '.' + part(facts.st_mtim.tv_nsec) + '-' + part(facts.st_size) + '-' +
         part(facts.st_ino) + '"';
}

}  // namespace

std::string_view Request::parameter(std::string_view name) const { return first_of(parameters, name).value_or(""); }

std::string_view Request::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string Request::cookie(std::string_view name) const { return cookie_value(header("cookie"), name); }

std::optional<std::string_view> Request::query_value(std::string_view name) const { return first_of(query, name); }

struct EventStream::State {
  explicit State(std::function<void()> call) : wake(std::move(call)) {}

  void call_wake() {
    const std::lock_guard lock(wake_mutex);
    if (wake) wake();
  }

  std::mutex wake_mutex;  // held while wake runs, so that it never runs after cut()
  std::function<void()> wake;
  mutable std::mutex mutex;
  std::string waiting;
  bool closed = false;
};

EventStream::EventStream(std::function<void()> wake) : state_(std::make_unique<State>(std::move(wake))) {}
EventStream::~EventStream() = default;

bool EventStream::send(const Event& event) {
  if (has_line_break(event.event) || has_line_break(event.id))
    throw Exception(Code::invalid_argument, "an event's type and id must be of one line");
  const std::string text = wire_text(event);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return false;
    if (state_->waiting.size() + text.size() > kMaxWaitingBytes) {
      state_->closed = true;
      state_->waiting.clear();
    } else {
      state_->waiting += text;
    }
  }
  state_->call_wake();
  return !is_closed();
}

void EventStream::close() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
  }
  state_->call_wake();
}

bool EventStream::is_closed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->closed;
}

std::string EventStream::take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->waiting, {});
}

void EventStream::cut() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->waiting.clear();
  }
  const std::lock_guard lock(state_->wake_mutex);
  state_->wake = nullptr;
}

Response text(std::string body, std::string content_type) {
  return {.headers = {{"Content-Type", std::move(content_type)}}, .body = std::move(body)};
}

Response json(const nlohmann::json& value, int status) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = dump_json(value)};
}

Result<Response> file(const std::filesystem::path& path, std::string content_type) {
  // O_NONBLOCK: a named pipe must not block a worker until somebody writes to it.
  auto opened = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!opened->is_open() || ::fstat(opened->get(), &facts) != 0) return fail(file_error(path, errno));
  if (!S_ISREG(facts.st_mode)) return fail(Code::not_found, path.string() + " is no file");
  Content content{.size = facts.st_size, .read = [opened](std::int64_t offset, std::span<char> into) {
                    for (;;) {
                      const auto got = ::pread(opened->get(), into.data(), into.size(), offset);
                      if (got > 0) return static_cast<std::size_t>(got);
                      if (got == 0) throw Exception(Code::unavailable, "a file became shorter while it was sent");
                      if (errno != EINTR) throw Exception(Code::unavailable, std::generic_category().message(errno));
                    }
                  }};
  return Response{.headers = {{"Content-Type", std::move(content_type)},
                              {"ETag", etag_of(facts)},
                              {"Last-Modified", http_date(facts.st_mtim.tv_sec)}},
                  .body = std::move(content)};
}

Response chunks(std::function<std::string()> next, std::string content_type) {
  return {.headers = {{"Content-Type", std::move(content_type)}}, .body = Chunks{std::move(next)}};
}

Response events(std::function<void(std::shared_ptr<EventStream>)> begin) {
  return {.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}},
          .body = Events{std::move(begin)}};
}

int http_status(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return 400;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
      return 409;
    case Code::too_large:
      return 413;
    case Code::not_a_video:
    case Code::unsupported:
      return 415;
    case Code::decode_failed:
      return 422;
    case Code::unavailable:
    case Code::interrupted:
      return 503;
    case Code::timeout:
      return 504;
    case Code::invalid_config:
    case Code::corrupt:
    case Code::internal:
      break;
  }
  return 500;
}

std::string_view reason(int status) noexcept {
  static constexpr std::pair<int, std::string_view> kReasons[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {423, "Locked"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {460, "Checksum Mismatch"},  // tus, not RFC 9110
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  const auto* found =
      std::find_if(std::begin(kReasons), std::end(kReasons), [=](const auto& pair) { return pair.first == status; });
  return found == std::end(kReasons) ? "Unknown" : found->second;
}

Response problem(const Error& error) {
  return problem(http_status(error.code), std::string(code_name(error.code)), error.message);
}

Response problem(int status, std::string code, std::string detail) {
  return {.status = status, .body = Problem{std::move(code), std::move(detail)}};
}

}  // namespace reeltag::http::server

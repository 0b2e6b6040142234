#include "reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <nlohmann/json.hpp>

#include "conditional.hpp"
#include "reeltag/base/json.hpp"
#include "target.hpp"

namespace reeltag::http::server {
namespace {

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// A line break in a value would allow header injection.
bool is_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

// A second one of these could make client and proxy interpret the response differently.
bool is_ours(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kOurs{"connection", "content-length", "date", "transfer-encoding",
                                                         "x-request-id"};
  return std::find(kOurs.begin(), kOurs.end(), lower_case(name)) != kOurs.end();
}

std::string find(const Pairs& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (lower_case(key) == name) return value;
  return {};
}

void remove(Pairs& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& header) { return lower_case(header.first) == name; });
}

const std::string& date_now() {
  thread_local std::time_t last = 0;
  thread_local std::string text;
  if (const auto now = std::time(nullptr); now != last || text.empty()) {
    last = now;
    text = http_date(now);
  }
  return text;
}

void write_problem(Response& response, const Request& request) {
  const auto problem = std::get<Problem>(response.body);
  response.headers.emplace_back("Content-Type", "application/problem+json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = dump_json({{"type", "urn:reeltag:problem:" + problem.code},
                             {"title", reason(response.status)},
                             {"status", response.status},
                             {"detail", problem.detail},
                             {"code", problem.code},
                             {"request", request.id}});
}

void apply_range(Response& response, const Request& request, Reply& reply) {
  const auto size = std::get<Content>(response.body).size;
  response.headers.emplace_back("Accept-Ranges", "bytes");
  reply.count = size;
  const auto header = request.header("range");
  const bool asked = response.status == 200 && request.method == "GET" && !header.empty() &&
                     range_may_stand(request.header("if-range"), find(response.headers, "etag"),
                                     find(response.headers, "last-modified"));
  const ByteRange range = asked ? parse_range(header, size) : ByteRange{.count = size};
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    remove(response.headers, "content-type");
    remove(response.headers, "cache-control");
    response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
    response.status = 416;
    response.body = Problem{"range_not_satisfiable", "want bytes=FIRST-LAST within " + std::to_string(size) + " bytes"};
  } else if (range.kind == ByteRange::Kind::part) {
    reply.first = range.first;
    reply.count = range.count;
    response.status = 206;
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.first) + '-' +
                                                       std::to_string(range.first + range.count - 1) + '/' +
                                                       std::to_string(size));
  }
}

void apply_conditions(Response& response, const Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (response.status != 200 || !reads) return;
  if (!none_match_holds(request.header("if-none-match"), find(response.headers, "etag"))) return;
  response.status = 304;
  response.body = std::string();
  remove(response.headers, "content-type");
}

// Tells the client where the body ends.
void add_framing(const Response& response, const Framing& framing, Reply& reply, std::string& head) {
  const bool none = response.status == 204 || response.status == 304 || response.status < 200;
  if (const auto* text = std::get_if<std::string>(&response.body)) {
    if (!none) head += "Content-Length: " + std::to_string(text->size()) + "\r\n";
  } else if (std::holds_alternative<Content>(response.body)) {
    head += "Content-Length: " + std::to_string(reply.count) + "\r\n";
  } else if (framing.http_1_0) {
    reply.keep = false;
  } else {
    reply.chunked = true;
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!reply.keep) {
    head += "Connection: close\r\n";
  } else if (framing.http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
}

}  // namespace

Reply make_reply(Response response, const Request& request, const Framing& framing) {
  Reply reply{.keep = framing.keep};
  apply_conditions(response, request);
  if (std::holds_alternative<Content>(response.body)) apply_range(response, request, reply);
  if (std::holds_alternative<Problem>(response.body)) write_problem(response, request);
  std::string& head = reply.head;
  head = "HTTP/1.1 " + std::to_string(response.status) + ' ' + std::string(reason(response.status)) + "\r\n";
  for (const auto& [name, value] : response.headers) {
    if (!is_token(name) || !is_value(value) || is_ours(name))
      throw Exception(Code::internal, "the header " + dump_json(name) + ": " + dump_json(value) + " cannot be sent");
    head += name + ": " + value + "\r\n";
  }
  head += "Date: " + date_now() + "\r\nX-Request-Id: " + request.id + "\r\n";
  add_framing(response, framing, reply, head);
  head += "\r\n";
  reply.status = response.status;
  if (request.method == "HEAD" || response.status == 204) return reply;
  if (auto* text = std::get_if<std::string>(&response.body)) reply.body = std::move(*text);
  if (auto* content = std::get_if<Content>(&response.body)) reply.body = std::move(*content);
  if (auto* chunks = std::get_if<Chunks>(&response.body)) reply.body = std::move(*chunks);
  if (auto* events = std::get_if<Events>(&response.body)) reply.body = std::move(*events);
  return reply;
}

std::string chunk_of(std::string_view text) {
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.begin(), size.end(), text.size(), 16).ptr;
  std::string out(size.data(), end);
  out += "\r\n";
  out += text;
  return out += "\r\n";
}

}  // namespace reeltag::http::server

// Requests of HTTP clients, cut into pieces as the first byte says. Cut or whole, the result must be the same, and no
// body may be longer than what was sent.
#include "request_parser.hpp"

#include <algorithm>

#include "fuzz.hpp"

using namespace reeltag;
using http::server::RequestParser;

namespace {

struct Read {
  bool done = false;
  int status = 0;
  std::string body = {};
  std::string path = {};
  std::size_t used = 0;
};

// As a connection does: bytes that were not used stand before the next ones.
Read read(std::string_view text, std::size_t piece) {
  Read out;
  RequestParser parser({.header_bytes = 2048, .headers = 20, .target_bytes = 512});
  std::size_t there = 0;
  while (!parser.is_done() && !parser.failure()) {
    const std::size_t used = parser.feed(text.substr(out.used, there - out.used));
    fuzz::require(used <= there - out.used, "no more is used than was there");
    out.used += used;
    out.body += parser.piece();
    if (used > 0) continue;
    if (there == text.size()) break;
    there = std::min(text.size(), there + piece);
  }
  out.done = parser.is_done();
  if (parser.failure()) out.status = parser.failure()->status;
  if (parser.has_head()) {
    out.path = parser.request().path;
    for (const auto& segment : parser.segments())
      fuzz::require(segment != "." && segment != ".." && segment.find('\0') == std::string::npos,
                    "a path stays inside");
    const auto& length = parser.request().content_length;
    fuzz::require(!out.done || !length || *length == static_cast<std::int64_t>(out.body.size()), "the length is kept");
  }
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::text(data + 1, size - 1);
  const Read whole = read(text, text.size() + 1);
  const Read cut = read(text, std::size_t{data[0]} + 1);
  fuzz::require(whole.done == cut.done, "how a request is cut does not matter");
  fuzz::require((whole.status == 0) == (cut.status == 0), "nor for its refusal");
  fuzz::require(!whole.done || (whole.body == cut.body && whole.used == cut.used && whole.path == cut.path),
                "the request is the same");
  fuzz::require(whole.status == 0 || whole.status >= 400, "a refusal has a status");
  return 0;
}

// Prepares a handler's response for the wire: conditions, ranges, HEAD, problems, framing. Pure; any thread.
// Throws Exception(internal) if a header's name or value cannot be sent as it is.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "reeltag/http/exchange.hpp"

namespace reeltag::http::server {

struct Reply {
  int status = 200;
  std::string head = {};  // including the empty line at its end
  // The bytes after the head; an empty text if there are none.
  std::variant<std::string, Content, Chunks, Events> body = {};
  std::int64_t first = 0, count = 0;  // the part of a Content to send
  bool chunked = false;
  bool keep = true;  // keep the connection open for another request
};

struct Framing {
  bool keep = true;
  bool http_1_0 = false;
};

Reply make_reply(Response response, const Request& request, const Framing& framing);

// One chunk in chunked coding; an empty text gives the last chunk.
std::string chunk_of(std::string_view text);

}  // namespace reeltag::http::server

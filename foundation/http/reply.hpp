// A handler's response made ready for the wire: conditions, ranges, HEAD, problems, framing. Pure; any thread.
// Throws Exception(internal) where a header's name or value could not be sent as it is.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "reeltag/http/exchange.hpp"

namespace reeltag::http::server {

struct Reply {
  int status = 200;
  std::string head = {};  // with the empty line at its end
  // What follows the head; an empty text where nothing does.
  std::variant<std::string, Content, Chunks, Events> body = {};
  std::int64_t first = 0, count = 0;  // of a Content
  bool chunked = false;
  bool keep = true;  // the connection, for another request
};

struct Framing {
  bool keep = true;
  bool http_1_0 = false;
};

Reply make_reply(Response response, const Request& request, const Framing& framing);

// One chunk of the chunked coding; an empty text gives the last one.
std::string chunk_of(std::string_view text);

}  // namespace reeltag::http::server

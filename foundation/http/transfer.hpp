// One libcurl request with address checks and limits: the common part of download(), download_to_file() and send().
// Private to this module. transfer(): any thread; blocks; calls back on the caller's thread. Fails as download()
// does.
//
//   auto got = transfer(url, {.sink = sink, .max_bytes = 1000, .timeout = 5}, options);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/http.hpp"

namespace reeltag::http {

// The final response, after redirects.
struct Answer {
  long status = 0;
  std::map<std::string, std::string> headers = {};  // keys in lower case

  [[nodiscard]] std::string header(const std::string& name) const;  // empty if missing
};

struct Exchange {
  std::vector<std::string> headers = {};  // request headers, "If-Range: ..."
  std::optional<std::string> body = {};   // makes it a POST
  std::string method = {};                // empty: GET, or POST
  bool any_status = false;                // pass the body of error responses to the sink too
  bool follow = true;                     // follow redirects
  // Called before the body's first byte, for any status; an error ends the transfer.
  std::function<Result<void>(const Answer& answer)> on_answer = {};
  Sink sink = {};
  std::int64_t max_bytes = 0;  // of this body
  double timeout = 0.0;        // seconds
  std::string too_large = {};  // message if max_bytes is exceeded; late: if timeout is
  std::string late = {};
};

Result<Download> transfer(const std::string& url, const Exchange& exchange, const ClientOptions& options);

// An error that names the URL; escapes it, because it is untrusted and may be printed on a terminal.
Error url_error(Code code, const std::string& url, const std::string& what);

}  // namespace reeltag::http

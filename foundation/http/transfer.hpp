// One request by libcurl, kept from private addresses and within its limits; what download(), download_to_file() and
// send() share. Private to this module. transfer(): any thread; blocks; calls back on the caller's thread. Fails as
// download() does.
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

// The last answer; redirects were followed before.
struct Answer {
  long status = 0;
  std::map<std::string, std::string> headers = {};  // by names in lower case

  [[nodiscard]] std::string header(const std::string& name) const;  // empty where there is none
};

struct Exchange {
  std::vector<std::string> headers = {};  // sent with the request, "If-Range: ..."
  std::optional<std::string> body = {};   // makes it a POST
  std::string method = {};                // empty: GET, or POST
  bool any_status = false;                // the body of an error's page is of interest too
  bool follow = true;                     // redirects
  // Before the body's first byte, whatever the status; an error ends the transfer.
  std::function<Result<void>(const Answer& answer)> on_answer = {};
  Sink sink = {};
  std::int64_t max_bytes = 0;  // of this body
  double timeout = 0.0;        // seconds
  std::string too_large = {};  // what to say when one of the two is passed
  std::string late = {};
};

Result<Download> transfer(const std::string& url, const Exchange& exchange, const ClientOptions& options);

// An error that names the URL, which comes from anywhere and may end up on a terminal.
Error url_error(Code code, const std::string& url, const std::string& what);

}  // namespace reeltag::http

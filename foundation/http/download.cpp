#include <algorithm>
#include <cctype>

#include "transfer.hpp"

namespace reeltag::http {

Result<Download> download(const std::string& url, const Sink& sink, const ClientOptions& options) {
  return transfer(url,
                  {.sink = sink,
                   .max_bytes = options.max_bytes,
                   .timeout = options.timeout,
                   .too_large = "is larger than " + std::to_string(options.max_bytes) +
                                " bytes; raise http.max_bytes if that is expected",
                   .late = "raise http.timeout if that is expected"},
                  options);
}

bool is_url(std::string_view text) {
  const auto begins = [&](std::string_view scheme) {
    return text.size() > scheme.size() && std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
             return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
           });
  };
  return begins("http://") || begins("https://");
}

}  // namespace reeltag::http

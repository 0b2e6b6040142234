#include "transfer.hpp"

namespace reeltag::http {

Result<Response> send(const Request& request, const ClientOptions& options, std::int64_t max_bytes) {
  Response response;
  Exchange exchange{
      .headers = request.headers,
      .body = request.body,
      .method = request.method,
      .any_status = true,
      .follow = false,
      .on_answer = [&](const Answer& answer) -> Result<void> {
        response.status = static_cast<int>(answer.status);
        response.headers = answer.headers;
        return {};
      },
      .sink =
          [&](std::string_view part) {
            response.body += part;
            return true;
          },
      .max_bytes = max_bytes,
      .timeout = options.timeout,
      .too_large = "answered with more than " + std::to_string(max_bytes) + " bytes",
      .late = "raise http.timeout if that is expected",
  };
  exchange.headers.emplace_back("Expect:");  // waiting for "100 Continue" would only cost a second
  auto got = transfer(request.url, exchange, options);
  if (!got) return fail(got.error());
  return response;
}

}  // namespace reeltag::http

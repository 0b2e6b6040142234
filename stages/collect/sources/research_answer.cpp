#include "sources/research_answer.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "crawl/challenge.hpp"
#include "reeltag/base/json.hpp"
#include "sources/http_status.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxServerWords = 200;  // bytes kept of a server's message

tl::unexpected<SourceFailure> failed(SourceError kind, std::string message, double retry_after = 0.0) {
  return tl::unexpected(SourceFailure{kind, std::move(message), retry_after});
}

double retry_after_of(const http::Response& answer) {
  const auto at = answer.headers.find("retry-after");
  if (at == answer.headers.end()) return 0.0;
  double seconds = 0.0;  // a date instead of seconds is ignored: the usual backoff applies
  const auto& text = at->second;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return problem == std::errc() && end == text.data() + text.size() && seconds > 0 ? seconds : 0.0;
}

// For a terminal: no control characters, limited length.
std::string server_words(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text.size() > kMaxServerWords ? text.substr(0, kMaxServerWords) + "..." : text;
}

tl::unexpected<SourceFailure> not_reached(const Error& error) {
  switch (error.code) {
    case Code::interrupted:
      throw Exception(error);
    case Code::permission_denied:  // a private address
    case Code::invalid_argument:
    case Code::unsupported:
      return failed(SourceError::refused, error.message);
    case Code::too_large:
      return failed(SourceError::schema_changed, error.message);
    default:
      return failed(SourceError::unavailable, error.message);
  }
}

tl::unexpected<SourceFailure> web_page(const http::Response& answer) {
  const auto what = "the API answered with a web page (status " + std::to_string(answer.status) + ")";
  if (is_challenge(answer.body)) return failed(SourceError::blocked, what + ": a challenge page");
  if (answer.status >= kServerError || answer.status == kTooMany) {
    return failed(answer.status == kTooMany ? SourceError::rate_limited : SourceError::unavailable, what,
                  retry_after_of(answer));
  }
  return failed(answer.status == kForbidden ? SourceError::blocked : SourceError::schema_changed, what);
}

// {"error":{"code","message","log_id"}}, or from the token endpoint {"error":"...","error_description":"..."}.
void read_error(const json& object, std::string& code, std::string& message) {
  const auto text = [](const json& from, const char* key) {
    const auto at = from.find(key);
    return at != from.end() && at->is_string() ? server_words(at->get<std::string>()) : std::string();
  };
  const auto error = object.find("error");
  if (error != object.end() && error->is_object()) {
    code = text(*error, "code");
    message = text(*error, "message");
  } else {
    code = text(object, "error");
    message = text(object, "error_description");
  }
  if (code == "ok") code.clear();
}

// Distinguishes the two kinds of 429: too fast, and daily quota used up.
bool is_quota(const std::string& code, const std::string& message) {
  const auto daily = [](const std::string& text) {
    return text.find("daily") != std::string::npos || text.find("quota") != std::string::npos;
  };
  return daily(code) || (code != "rate_limit_exceeded" && daily(message));
}

}  // namespace

tl::expected<json, SourceFailure> read_answer(const Result<http::Response>& answer, std::string& code) {
  code.clear();
  if (!answer) return not_reached(answer.error());
  if (is_web_page(answer->body)) return web_page(*answer);
  const int status = answer->status;
  const auto parsed = parse_json(answer->body, "the API's answer");
  if (!parsed || !parsed->is_object()) {
    if (status == kTooMany) return failed(SourceError::rate_limited, "status 429", retry_after_of(*answer));
    if (status >= 300 && status < kServerError) {
      return failed(
          status == kForbidden || status == kUnauthorized ? SourceError::refused : SourceError::schema_changed,
          "the API answered with status " + std::to_string(status));
    }
    return failed(SourceError::unavailable,
                  "the API answered with status " + std::to_string(status) + " and no JSON object");
  }
  std::string message;
  read_error(*parsed, code, message);
  if (code.empty() && status >= 200 && status < 300) return *parsed;
  const auto what =
      (code.empty() ? "status " + std::to_string(status) : code) + (message.empty() ? "" : ": " + message);
  if (status == kTooMany || code == "rate_limit_exceeded" || code == "daily_quota_limit_exceeded") {
    return failed(is_quota(code, message) ? SourceError::quota : SourceError::rate_limited, what,
                  retry_after_of(*answer));
  }
  if (status >= kServerError || code == "internal_error") {
    return failed(SourceError::unavailable, what, retry_after_of(*answer));
  }
  if (status == kUnauthorized || status == kForbidden) return failed(SourceError::refused, what);
  return failed(SourceError::schema_changed, what);
}

}  // namespace reeltag::collect

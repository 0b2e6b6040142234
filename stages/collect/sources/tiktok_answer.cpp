#include "sources/tiktok_answer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crawl/challenge.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr const char* kUnknownChallenge = "10205";
constexpr std::size_t kMaxSiteWords = 200;  // bytes kept of a site's message

// For a terminal: no control characters, limited length.
std::string site_words(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text.size() > kMaxSiteWords ? text.substr(0, kMaxSiteWords) + "..." : text;
}

}  // namespace

const json& object_of(const json& from, const char* key) {
  static const json none;
  const auto at = from.is_object() ? from.find(key) : from.end();
  return at != from.end() && at->is_object() ? *at : none;
}

std::string status_of(const json& answer) {
  for (const auto* key : {"statusCode", "status_code"}) {
    const auto code = text_or_empty(answer, key);
    if (code.empty() || code == "0") continue;
    const auto words = text_or_empty(answer, "statusMsg");
    return site_words("status " + code + (words.empty() ? "" : ", " + words));
  }
  return {};
}

bool is_unknown_challenge(const json& answer) { return text_or_empty(answer, "statusCode") == kUnknownChallenge; }

SourceFailure failure_of(const json& reply) {
  const auto kind = text_or_empty(reply, "error"), message = site_words(text_or_empty(reply, "message"));
  const auto body = text_or_empty(reply, "body");
  if (is_challenge(body)) return {SourceError::blocked, "the site answered with a challenge page"};
  return {SourceError::unavailable, kind + ": " + message};
}

bool session_is_lost(const json& reply) {
  const auto kind = text_or_empty(reply, "error");
  return kind != "empty" && kind != "not_json";
}

}  // namespace reeltag::collect

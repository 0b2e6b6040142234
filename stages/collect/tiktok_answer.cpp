#include "tiktok_answer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "challenge.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr const char* kUnknownChallenge = "10205";
constexpr std::size_t kShown = 200;  // bytes of what a site says

// For a terminal: no control characters, not long.
std::string shown(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text.size() > kShown ? text.substr(0, kShown) + "..." : text;
}

}  // namespace

std::string text_of(const json& from, const char* key) {
  const auto at = from.is_object() ? from.find(key) : from.end();
  if (at == from.end()) return {};
  if (at->is_string()) return at->get<std::string>();
  return at->is_number_integer() ? at->dump() : std::string();
}

const json& object_of(const json& from, const char* key) {
  static const json none;
  const auto at = from.is_object() ? from.find(key) : from.end();
  return at != from.end() && at->is_object() ? *at : none;
}

std::string status_of(const json& answer) {
  for (const auto* key : {"statusCode", "status_code"}) {
    const auto code = text_of(answer, key);
    if (code.empty() || code == "0") continue;
    const auto words = text_of(answer, "statusMsg");
    return shown("status " + code + (words.empty() ? "" : ", " + words));
  }
  return {};
}

bool is_unknown_challenge(const json& answer) { return text_of(answer, "statusCode") == kUnknownChallenge; }

Failure failure_of(const json& reply) {
  const auto kind = text_of(reply, "trouble"), message = shown(text_of(reply, "message"));
  const auto body = text_of(reply, "body");
  if (is_challenge(body)) return {Trouble::blocked, "the site answered with a challenge page"};
  return {Trouble::unavailable, kind + ": " + message};
}

bool session_is_lost(const json& reply) {
  const auto kind = text_of(reply, "trouble");
  return kind != "empty" && kind != "not_json";
}

}  // namespace reeltag::collect

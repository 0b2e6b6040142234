#include "sources/ytdlp_answer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "import/info_json.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/http.hpp"
#include "sources/http_status.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxYtdlpWords = 300;  // bytes kept of yt-dlp's message

struct ChildMessage {
  std::string kind, message, words;  // words: the message in lower case
  int status = 0;

  [[nodiscard]] bool any(std::initializer_list<std::string_view> of) const {
    return std::any_of(of.begin(), of.end(), [&](auto one) { return words.find(one) != std::string::npos; });
  }
};

// For a terminal: no control characters, limited length.
ChildMessage said(const json& error) {
  ChildMessage out;
  if (!error.is_object()) return out;
  out.kind = text_or_empty(error, "kind");
  out.message = text_or_empty(error, "message").substr(0, kMaxYtdlpWords);
  std::replace_if(out.message.begin(), out.message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  out.words = out.message;
  std::transform(out.words.begin(), out.words.end(), out.words.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (const auto at = error.find("status"); at != error.end() && at->is_number_integer()) out.status = at->get<int>();
  return out;
}

// yt-dlp reports nearly all site errors with one class, so the message text distinguishes them. Checked before "sign
// in", which sites also show to robots.
bool is_challenge(const ChildMessage& s) {
  return s.kind == "challenge" || s.any({"captcha", "not a bot", "anti-bot", "challenge"});
}
bool is_private(const ChildMessage& s) {
  return s.kind == "private" || s.status == kUnauthorized ||
         s.any(
             {"private", "log in", "login", "sign in", "permission to view", "members", "subscri", "registered users"});
}
bool is_gone(const ChildMessage& s) {
  return s.status == kNotFound || s.status == kGone ||
         s.any({"not available", "unavailable", "removed", "deleted", "no longer", "does not exist", "terminated"});
}
bool is_unread(const ChildMessage& s) {
  return s.any({"unable to extract", "unexpected response", "failed to parse json"});
}

Outcome outcome_of_message(const ChildMessage& s) {
  static constexpr std::array kKinds{
      std::pair{"no_video", Outcome::not_a_video},    std::pair{"playlist", Outcome::not_a_video},
      std::pair{"unsupported", Outcome::not_a_video}, std::pair{"format", Outcome::decode_failed},
      std::pair{"late", Outcome::unavailable},        std::pair{"refused", Outcome::unavailable},
      std::pair{"memory", Outcome::unavailable},      std::pair{"broken", Outcome::unavailable},
  };
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& k) { return s.kind == k.first; });
  if (kind != kKinds.end()) return kind->second;
  if (is_challenge(s) || s.any({"ip address is blocked"})) return Outcome::blocked;
  if (is_private(s)) return Outcome::private_video;
  if (is_unread(s)) return Outcome::schema_changed;
  if (s.status == 0 && s.any({"no video formats", "drm"})) return Outcome::decode_failed;
  return is_gone(s) && s.status < 500 ? Outcome::deleted : Outcome::unavailable;
}

}  // namespace

Item ytdlp_entry(const json& entry) {
  Item item;
  if (!entry.is_object()) return item;
  item.id = text_or_empty(entry, "id");
  item.site = text_or_empty(entry, "site");
  item.anonymous = item.site != "tiktok";
  return item;
}

Item ytdlp_item(const json& info) {
  Item item = ytdlp_entry(info);
  if (!info.is_object()) return item;
  Candidate facts;
  take_info(info, facts);
  item.author = std::move(facts.author);
  item.caption = std::move(facts.caption);
  item.hashtags = std::move(facts.hashtags);
  item.created = facts.created;
  item.attributes = std::move(facts.attributes);
  item.url = text_or_empty(info, "url");
  if (const auto headers = info.find("headers"); headers != info.end() && headers->is_array()) {
    for (const auto& header : *headers) {
      const auto* line = header.get_ptr<const std::string*>();
      if (line != nullptr && line->find_first_of("\r\n") == std::string::npos) item.headers.push_back(*line);
    }
  }
  if (!http::is_url(item.url)) {
    item.failed = Outcome::schema_changed;
    item.why = "yt-dlp names no address of its bytes";
  }
  return item;
}

void fail_item(const json& error, Item& item) {
  const auto s = said(error);
  item.failed = outcome_of_message(s);
  item.why = "yt-dlp: " + (s.message.empty() ? s.kind : s.message);
  item.only_this = item.failed == Outcome::blocked && !is_challenge(s);
}

bool is_too_fast(const json& error) { return said(error).status == kTooMany; }

SourceFailure ytdlp_failure(const json& error) {
  const auto s = said(error);
  const SourceFailure as{.message = "yt-dlp: " + (s.message.empty() ? s.kind : s.message)};
  const auto failure = [&](SourceError kind) { return SourceFailure{kind, as.message, 0.0}; };
  if (s.kind == "setup") return failure(SourceError::refused);
  if (s.kind == "broken" || s.kind == "unsupported" || s.kind == "refused") return failure(SourceError::not_listed);
  if (is_challenge(s)) return failure(SourceError::blocked);
  if (s.status == kTooMany) return failure(SourceError::rate_limited);
  const auto outcome = outcome_of_message(s);
  if (outcome == Outcome::schema_changed) return failure(SourceError::schema_changed);
  if (outcome != Outcome::unavailable || s.status == kForbidden) return failure(SourceError::not_listed);
  return failure(SourceError::unavailable);
}

}  // namespace reeltag::collect

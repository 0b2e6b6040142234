#include "sources/tiktok_item.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"
#include "reeltag/http.hpp"
#include "sources/tiktok_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

const json& list_of(const json& from, const char* key) {
  static const json none = json::array();
  const auto at = from.is_object() ? from.find(key) : from.end();
  return at != from.end() && at->is_array() ? *at : none;
}

bool is_true(const json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_boolean() && at->get<bool>();
}

std::string digits(std::string text) {
  const bool good = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
  return good ? text : std::string();
}

// A stable name for the author: the unique name shown on the site, else one of the site's ids.
std::string author_of(const json& video) {
  if (const auto text = text_or_empty(video, "author"); !text.empty()) return text;
  const auto& author = object_of(video, "author");
  for (const auto* key : {"uniqueId", "id", "secUid"}) {
    if (auto text = text_or_empty(author, key); !text.empty()) return text;
  }
  return {};
}

std::string caption_of(const json& video) {
  auto caption = text_or_empty(video, "desc");
  for (const auto& part : list_of(video, "contents")) {
    if (caption.empty()) caption = text_or_empty(part, "desc");
  }
  return caption;
}

void add_typed(const json& from, std::vector<std::string>& typed) {
  for (const auto& one : list_of(from, "textExtra"))
    typed.push_back(text_or_empty(one, "hashtagName"));  // of people: empty
}

// Hashtags from the site, the author's marks and the caption.
std::vector<std::string> item_hashtags(const json& video, const std::string& caption) {
  std::vector<std::string> typed;
  for (const auto& challenge : list_of(video, "challenges")) typed.push_back(text_or_empty(challenge, "title"));
  add_typed(video, typed);
  for (const auto& part : list_of(video, "contents")) add_typed(part, typed);
  for (auto& hashtag : hashtag::find_in_caption(caption)) typed.push_back(std::move(hashtag));
  return hashtag::normalize_all(typed);
}

// Prefers the address without a watermark.
std::string address_of(const json& video) {
  for (const auto* key : {"playAddr", "downloadAddr"}) {
    if (auto url = text_or_empty(video, key); http::is_url(url)) return url;
  }
  for (const auto& one : list_of(video, "bitrateInfo")) {
    if (text_or_empty(one, "CodecType") != "h264") continue;
    for (const auto& url : list_of(object_of(one, "PlayAddr"), "UrlList")) {
      if (url.is_string() && http::is_url(url.get<std::string>())) return url.get<std::string>();
    }
  }
  return {};
}

// Counts, sound, language; no personal names.
std::string item_attributes(const json& video) {
  json kept = json::object();
  const auto keep = [&](const json& from, const char* key, const char* as) {
    if (const auto at = from.find(key); at != from.end() && at->is_primitive() && !at->is_null()) kept[as] = *at;
  };
  static const std::pair<const char*, const char*> counts[] = {{"playCount", "view_count"},
                                                               {"diggCount", "like_count"},
                                                               {"shareCount", "share_count"},
                                                               {"commentCount", "comment_count"},
                                                               {"collectCount", "save_count"}};
  const auto& stats = object_of(video, "stats");
  if (stats.is_object()) {
    for (const auto& [key, as] : counts) keep(stats, key, as);
  }
  if (const auto& sound = object_of(video, "music"); sound.is_object()) {
    keep(sound, "id", "music_id");
    keep(sound, "title", "track");
  }
  if (const auto& file = object_of(video, "video"); file.is_object()) keep(file, "duration", "video_duration");
  keep(video, "textLanguage", "language");
  keep(video, "isAd", "is_ad");
  return dump_json(kept);
}

// Sets the outcome that the item itself reports.
void judge(const json& video, Item& item) {
  const auto fails = [&](Outcome outcome, const char* why) {
    item.failed = outcome;
    item.why = why;
  };
  if (is_true(video, "privateItem") || is_true(video, "secret")) {
    fails(Outcome::private_video, "the site says that it is private");
  } else if (object_of(video, "imagePost").is_object()) {
    fails(Outcome::not_a_video, "it is a slide show of pictures");
  } else if (item.url.empty()) {
    fails(Outcome::schema_changed, "it names no address of its bytes");
  }
}

std::string host_of(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return {};  // cookies are never sent without TLS
  return url.substr(kScheme.size(), url.find_first_of(":/?#", kScheme.size()) - kScheme.size());
}

bool is_plain(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_cookie(const std::string& text) { return is_plain(text) && text.find(';') == std::string::npos; }

}  // namespace

std::vector<std::string> TikTokSession::headers_for(const std::string& url) const {
  std::vector<std::string> headers{"Referer: https://www.tiktok.com/"};
  if (!user_agent.empty() && is_plain(user_agent)) headers.push_back("User-Agent: " + user_agent);
  const auto host = host_of(url);
  std::string sent;
  for (const auto& cookie : cookies) {
    const bool below = cookie.domain.starts_with('.') && ("." + host).ends_with(cookie.domain);
    if (host.empty() || cookie.name.empty() || (!below && cookie.domain != host)) continue;
    if (is_cookie(cookie.name) && is_cookie(cookie.value)) {
      sent += (sent.empty() ? "" : "; ") + cookie.name + "=" + cookie.value;
    }
  }
  if (!sent.empty()) headers.push_back("Cookie: " + sent);
  return headers;
}

Item tiktok_item(const json& video, const TikTokSession& session) {
  Item item;
  if (!video.is_object()) return item;
  item.id = digits(text_or_empty(video, "id"));
  item.author = author_of(video);
  item.caption = caption_of(video);
  item.hashtags = item_hashtags(video, item.caption);
  const auto created = digits(text_or_empty(video, "createTime"));
  if (!created.empty() && created.size() < 12 && created != "0") item.created = std::stoll(created);
  item.attributes = item_attributes(video);
  item.url = address_of(object_of(video, "video"));
  if (!item.url.empty()) item.headers = session.headers_for(item.url);
  judge(video, item);
  return item;
}

}  // namespace reeltag::collect

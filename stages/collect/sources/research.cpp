#include "sources/research.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "reeltag/base/json.hpp"
#include "reeltag/base/percent.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"
#include "sources/research_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr std::int64_t kWindowDays = 30;  // the API's largest window
constexpr std::int64_t kOverlapDays = 3;  // repeated by the next collection: videos appear up to 48 h late
constexpr double kRenewBefore = 300.0;    // seconds before the token expires
constexpr double kUsualLife = 7200.0;     // seconds, if the answer does not say
constexpr double kSecondsADay = 86'400.0;
constexpr const char* kFields =
    "id,video_description,create_time,region_code,share_count,view_count,like_count,comment_count,music_id,"
    "hashtag_names,username,video_duration";

// Days since 1970 of "2026-11-26"; 0 for an empty text.
std::int64_t day_number(const std::string& text, const char* key) {
  if (text.empty()) return 0;
  int year = 0;
  unsigned month = 0, day = 0;
  int used = 0;
  const bool read = std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) == 3;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!read || static_cast<std::size_t>(used) != text.size() || text.size() != 10 || !date.ok()) {
    throw Exception(Code::invalid_config,
                    "collect.research." + std::string(key) + ": '" + text + "' is no date; want YYYY-MM-DD");
  }
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// "20261126"
std::string compact(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::string from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

// The secret is sent over the network: without TLS only to this machine.
void check_api(const std::string& api) {
  const auto local = [&](std::string_view host) {
    return api.starts_with(host) && (api.size() == host.size() || api[host.size()] == ':' || api[host.size()] == '/');
  };
  if (api.starts_with("https://") || local("http://127.0.0.1") || local("http://localhost") || local("http://[::1]"))
    return;
  throw Exception(Code::invalid_config, "collect.research.api: '" + api + "' must be an https address");
}

std::int64_t integer(const json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

}  // namespace

Credentials research_credentials() {
  return {.key = Secret(from_environment("REELTAG_RESEARCH_CLIENT_KEY")),
          .secret = Secret(from_environment("REELTAG_RESEARCH_CLIENT_SECRET"))};
}

ResearchSource::ResearchSource(const ResearchConfig& config, Credentials credentials, const http::ClientOptions& http,
                               Clock& clock)
    : config_(config),
      credentials_(std::move(credentials)),
      http_(http),
      clock_(clock),
      since_(day_number(config.since, "since")),
      until_(day_number(config.until, "until")) {
  check_api(config.api);
  while (config_.api.ends_with('/')) config_.api.pop_back();
  if (!config.media.empty() && (!http::is_url(config.media) || config.media.find("{id}") == std::string::npos)) {
    throw Exception(Code::invalid_config,
                    "collect.research.media: '" + config.media + "' must be a URL with {id} in it");
  }
}

std::string ResearchSource::scope() const {
  // `media` is part of the scope: once bytes are available, metadata-only items are fetched too.
  return dump_json({{"api", config_.api},
                    {"since", config_.since},
                    {"until", config_.until},
                    {"regions", config_.regions},
                    {"bytes", !config_.media.empty()}});
}

std::int64_t ResearchSource::today() const { return clock_.unix_seconds() / static_cast<std::int64_t>(kSecondsADay); }

std::string ResearchSource::query_url() const { return config_.api + "/v2/research/video/query/?fields=" + kFields; }

std::int64_t ResearchSource::PageCursor::window_end() const { return std::min(until, from + kWindowDays - 1); }

// A cursor without "until" is the end of a finished collection.
ResearchSource::PageCursor ResearchSource::place_of(const std::string& cursor) const {
  PageCursor place{.from = since_, .until = until_ > 0 ? until_ : today()};
  if (since_ == 0) place.from = place.until - config_.days + 1;
  if (cursor.empty()) return place;
  const auto parsed = parse_json(cursor, "cursor");
  if (!parsed || !parsed->is_object()) return place;
  place.from = integer(*parsed, "from");
  if (parsed->contains("until")) place.until = integer(*parsed, "until");
  place.offset = integer(*parsed, "offset");
  if (const auto at = parsed->find("search_id"); at != parsed->end() && at->is_string()) {
    place.search_id = at->get<std::string>();
  }
  return place;
}

std::string ResearchSource::cursor_of(const PageCursor& place) {
  return dump_json(
      {{"from", place.from}, {"until", place.until}, {"offset", place.offset}, {"search_id", place.search_id}});
}

json ResearchSource::body_of(const PageRequest& ask, const PageCursor& place) const {
  json conditions =
      json::array({{{"operation", "EQ"}, {"field_name", "hashtag_name"}, {"field_values", {ask.hashtag}}}});
  if (!config_.regions.empty()) {
    conditions.push_back({{"operation", "IN"}, {"field_name", "region_code"}, {"field_values", config_.regions}});
  }
  json body{{"query", {{"and", conditions}}},
            {"start_date", compact(place.from)},
            {"end_date", compact(place.window_end())},
            {"max_count", std::clamp(ask.want, 1, config_.page_size)},
            {"cursor", place.offset},
            {"is_random", false}};
  if (!place.search_id.empty()) body["search_id"] = place.search_id;
  return body;
}

std::vector<std::string> ResearchSource::preview(const PageRequest& ask) const {
  std::vector<std::string> requests;
  for (PageCursor place = place_of(ask.cursor); place.from <= place.until;) {
    requests.push_back(dump_json({{"method", "POST"}, {"url", query_url()}, {"body", body_of(ask, place)}}));
    place = {.from = place.window_end() + 1, .until = place.until};
  }
  return requests;
}

tl::expected<Page, SourceFailure> ResearchSource::page(const PageRequest& ask, Gate& gate) {
  PageCursor place = place_of(ask.cursor);
  if (place.from > place.until) return Page{.next = ask.cursor};
  auto answer = query(body_of(ask, place), gate);
  const bool search_lost = !answer && answer.error().kind == SourceError::schema_changed && !place.search_id.empty() &&
                           answer.error().message.find("invalid_params") != std::string::npos;
  if (search_lost) {  // the window is read again; stored items are skipped
    place = {.from = place.from, .until = place.until};
    answer = query(body_of(ask, place), gate);
  }
  if (!answer) return tl::unexpected(answer.error());
  const auto data = answer->find("data");
  if (data == answer->end() || !data->is_object()) {
    return tl::unexpected(SourceFailure{SourceError::schema_changed, "the API's answer has no \"data\""});
  }
  const auto videos = data->find("videos");
  const bool list = videos != data->end() && videos->is_array();
  const bool none = videos == data->end() || videos->is_null();
  const auto more = data->find("has_more");
  if ((!list && !none) || more == data->end() || !more->is_boolean()) {
    return tl::unexpected(
        SourceFailure{SourceError::schema_changed, "the API's answer has no list \"videos\" or no \"has_more\""});
  }
  return page_of(*data, place);
}

Page ResearchSource::page_of(const json& data, const PageCursor& place) const {
  Page page;
  if (const auto videos = data.find("videos"); videos != data.end() && videos->is_array()) {
    for (const auto& video : *videos) page.items.push_back(research_item(video, config_.media));
  }
  if (data.at("has_more").get<bool>()) {
    PageCursor next = place;
    next.offset = integer(data, "cursor");
    if (const auto at = data.find("search_id"); at != data.end() && at->is_string())
      next.search_id = at->get<std::string>();
    page.next = cursor_of(next);
    page.more = true;
  } else if (place.window_end() < place.until) {
    page.next = cursor_of({.from = place.window_end() + 1, .until = place.until});
    page.more = true;
  } else {
    page.next = dump_json({{"from", std::max(since_, place.until - kOverlapDays + 1)}});
  }
  return page;
}

tl::expected<json, SourceFailure> ResearchSource::query(const json& body, Gate& gate) {
  for (bool renewed = false;; renewed = true) {
    if (token_.empty() || clock_.now() >= token_end_) {
      if (auto fresh = renew_token(gate); !fresh) return tl::unexpected(fresh.error());
    }
    if (auto may = gate.enter(true); !may) return tl::unexpected(may.error());
    std::string code;
    auto answer = read_answer(http::send({.url = query_url(),
                                          .headers = {"Authorization: Bearer " + token_.reveal(),
                                                      "Content-Type: application/json", "Accept: application/json"},
                                          .body = dump_json(body)},
                                         http_),
                              code);
    const bool stale = !answer && answer.error().kind == SourceError::refused && code == "access_token_invalid";
    if (!stale || renewed) return answer;
    token_ = Secret();  // expired early: retry once with a new token
  }
}

tl::expected<void, SourceFailure> ResearchSource::renew_token(Gate& gate) {
  if (credentials_.key.empty() || credentials_.secret.empty()) {
    throw Exception(Code::invalid_config,
                    "the Research API needs REELTAG_RESEARCH_CLIENT_KEY and REELTAG_RESEARCH_CLIENT_SECRET in the "
                    "environment");
  }
  if (auto may = gate.enter(false); !may) return may;
  std::string code;
  const auto answer =
      read_answer(http::send({.url = config_.api + "/v2/oauth/token/",
                              .headers = {"Content-Type: application/x-www-form-urlencoded", "Cache-Control: no-cache"},
                              .body = "client_key=" + percent_encoded(credentials_.key.reveal()) + "&client_secret=" +
                                      percent_encoded(credentials_.secret.reveal()) + "&grant_type=client_credentials"},
                             http_),
                  code);
  if (!answer) {
    auto failure = answer.error();
    if (failure.kind == SourceError::schema_changed && !code.empty()) failure.kind = SourceError::refused;
    failure.message = "no access token: " + failure.message;
    return tl::unexpected(failure);
  }
  const auto token = answer->find("access_token");
  const bool plain = token != answer->end() && token->is_string() && !token->get_ref<const std::string&>().empty() &&
                     token->get_ref<const std::string&>().find_first_of("\r\n") == std::string::npos;
  if (!plain) return tl::unexpected(SourceFailure{SourceError::schema_changed, "no access token in the API's answer"});
  token_ = Secret(token->get<std::string>());
  const auto life = static_cast<double>(integer(*answer, "expires_in"));
  token_end_ = clock_.now() + std::max((life > 0 ? life : kUsualLife) - kRenewBefore, 0.0);
  return {};
}

Item research_item(const json& video, const std::string& media) {
  Item item;
  if (!video.is_object()) return item;
  const auto text = [&](const char* key) {
    const auto at = video.find(key);
    if (at == video.end()) return std::string();
    if (at->is_string()) return at->get<std::string>();
    return at->is_number_integer() ? at->dump() : std::string();  // ids have 64 bits: never a double
  };
  item.id = text("id");
  if (!std::all_of(item.id.begin(), item.id.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
    item.id.clear();
  item.author = text("username");
  item.caption = text("video_description");
  if (const auto created = integer(video, "create_time"); created > 0) item.created = created;
  std::vector<std::string> typed;
  if (const auto names = video.find("hashtag_names"); names != video.end() && names->is_array()) {
    for (const auto& name : *names) {
      if (name.is_string()) typed.push_back(name.get<std::string>());
    }
  }
  for (auto& hashtag : hashtag::find_in_caption(item.caption)) typed.push_back(std::move(hashtag));
  item.hashtags = hashtag::normalize_all(typed);
  static const std::set<std::string> not_kept{"id",          "username",      "video_description",
                                              "create_time", "hashtag_names", "video_mention_list"};
  json kept = json::object();
  for (const auto& [key, value] : video.items()) {
    if (!not_kept.contains(key) && !value.is_null()) kept[key] = value;
  }
  item.attributes = dump_json(kept);
  if (!media.empty() && !item.id.empty()) {
    item.url = media;
    for (auto at = item.url.find("{id}"); at != std::string::npos; at = item.url.find("{id}"))
      item.url.replace(at, 4, item.id);
  }
  return item;
}

}  // namespace reeltag::collect

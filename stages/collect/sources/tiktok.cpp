#include "sources/tiktok.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/percent.hpp"
#include "sources/bridge_python.hpp"
#include "sources/tiktok_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr const char* kSite = "https://www.tiktok.com/";
constexpr double kWaitShare = 0.25;      // of the deadline: time allowed for the start page to load
constexpr double kGiveUp = 24 * 3600.0;  // seconds; longer than the engine waits, so that it does not retry

struct PageCursor {
  std::string challenge, cursor = "0";
};

PageCursor cursor_from(const std::string& cursor) {
  PageCursor place;
  const auto parsed = parse_json(cursor, "cursor");
  if (!parsed || !parsed->is_object()) return place;
  place.challenge = text_or_empty(*parsed, "challenge");
  place.cursor = text_or_empty(*parsed, "cursor");
  return place;
}

}  // namespace

TikTokSource::TikTokSource(const TikTokConfig& config, Command command, const std::stop_token& stop)
    : config_(config), command_(std::move(command)), bridge_({.restarts = config.restarts, .stop = stop}) {}

std::vector<std::string> TikTokSource::preview(const PageRequest& ask) const {
  const auto place = cursor_from(ask.cursor);
  const auto get = [](const std::string& what) { return dump_json({{"method", "GET"}, {"url", kSite + what}}); };
  std::vector<std::string> requests{get("")};
  if (place.challenge.empty())
    requests.push_back(get("api/challenge/detail/?challengeName=" + percent_encoded(ask.hashtag)));
  requests.push_back(get(
      "api/challenge/item_list/?challengeID=" + (place.challenge.empty() ? "{id}" : percent_encoded(place.challenge)) +
      "&count=" + std::to_string(config_.page_size) + "&cursor=" + percent_encoded(place.cursor)));
  return requests;
}

tl::expected<Page, SourceFailure> TikTokSource::page(const PageRequest& ask, Gate& gate) {
  auto place = cursor_from(ask.cursor);
  if (auto opened = open(gate); !opened) return tl::unexpected(opened.error());
  if (place.challenge.empty()) {
    auto challenge = challenge_of(ask.hashtag, gate);
    if (!challenge) return tl::unexpected(challenge.error());
    if (challenge->empty()) return Page{};
    place = {.challenge = std::move(*challenge)};
  }
  const auto reply = ask_bridge(
      {{"ask", "page"}, {"challenge", place.challenge}, {"cursor", place.cursor}, {"count", config_.page_size}}, true,
      gate);
  if (!reply) return tl::unexpected(reply.error());
  keep_session(*reply);
  const auto& answer = reply->at("answer");
  const auto items = answer.find("itemList");
  const bool list = items != answer.end() && items->is_array();
  if (list || answer.contains("hasMore")) return page_of(answer, place.challenge);
  if (const auto refusal = status_of(answer); !refusal.empty()) {
    return tl::unexpected(SourceFailure{SourceError::unavailable, "the site has no page: " + refusal});
  }
  return tl::unexpected(
      SourceFailure{SourceError::schema_changed, "the site's answer has no \"itemList\" and no \"hasMore\""});
}

// The cursor of the last page is empty: newer videos are not guaranteed to come first, so the next collection starts
// over.
Page TikTokSource::page_of(const json& answer, const std::string& challenge) const {
  Page page;
  if (const auto items = answer.find("itemList"); items != answer.end() && items->is_array()) {
    for (const auto& video : *items) page.items.push_back(tiktok_item(video, session_));
  }
  const auto more = answer.find("hasMore");
  page.more = more != answer.end() && (more->is_boolean() ? more->get<bool>() : *more == 1);
  if (page.more) page.next = dump_json({{"challenge", challenge}, {"cursor", text_or_empty(answer, "cursor")}});
  return page;
}

tl::expected<std::string, SourceFailure> TikTokSource::challenge_of(const std::string& hashtag, Gate& gate) {
  const auto reply = ask_bridge({{"ask", "challenge"}, {"name", hashtag}}, false, gate);
  if (!reply) return tl::unexpected(reply.error());
  const auto& answer = reply->at("answer");
  const auto id = text_or_empty(object_of(object_of(answer, "challengeInfo"), "challenge"), "id");
  if (!id.empty() || is_unknown_challenge(answer)) return id;
  if (const auto refusal = status_of(answer); !refusal.empty()) {
    return tl::unexpected(SourceFailure{SourceError::unavailable, "the site says nothing of the hashtag: " + refusal});
  }
  return tl::unexpected(SourceFailure{SourceError::schema_changed, "the site's answer has no \"challengeInfo\""});
}

tl::expected<void, SourceFailure> TikTokSource::open(Gate& gate) {
  if (bridge_.runs()) return {};
  if (bridge_.is_spent()) {
    return tl::unexpected(SourceFailure{SourceError::unavailable,
                                        "the browser was started " + std::to_string(config_.restarts + 1) +
                                            " times (collect.tiktok.restarts) and ended each time",
                                        kGiveUp});
  }
  const auto command = command_();
  if (auto started = bridge_.start(command); !started) {
    throw Exception(Code::invalid_config, "collecting from tiktok: " + started.error().message);
  }
  const auto reply = ask_bridge({{"ask", "open"},
                                 {"browser", find_chromium(config_).string()},
                                 {"proxy", config_.proxy},
                                 {"ca_file", config_.ca_file},
                                 {"wait", config_.deadline * kWaitShare}},
                                false, gate);
  if (!reply) {
    bridge_.end();  // no session, or an incomplete one
    return tl::unexpected(reply.error());
  }
  if (!reply->value("sandbox", true)) {
    log::warning("browser_without_sandbox", {{"message",
                                              "this system lets Chromium have no sandbox of its own: collect as a "
                                              "separate user or in a container"}});
  }
  session_ = {.user_agent = text_or_empty(object_of(*reply, "headers"), "user-agent")};
  return {};
}

// The answer's object, or the failure it means.
tl::expected<json, SourceFailure> TikTokSource::ask_bridge(const json& request, bool counted, Gate& gate) {
  if (auto may = gate.enter(counted); !may) return tl::unexpected(may.error());
  const std::chrono::milliseconds deadline(std::lround(1000 * config_.deadline));
  auto reply = bridge_.ask(request, deadline);
  if (!reply) return tl::unexpected(SourceFailure{SourceError::unavailable, "the browser: " + reply.error().message});
  if (reply->contains("error")) {
    if (session_is_lost(*reply)) bridge_.end();
    return tl::unexpected(failure_of(*reply));
  }
  if (request.at("ask") == "open" || object_of(*reply, "answer").is_object()) return std::move(*reply);
  return tl::unexpected(SourceFailure{SourceError::schema_changed, "the site's answer is no JSON object"});
}

void TikTokSource::keep_session(const json& reply) {
  session_.cookies.clear();
  const auto cookies = reply.find("cookies");
  if (cookies == reply.end() || !cookies->is_array()) return;
  for (const auto& cookie : *cookies) {
    session_.cookies.push_back({.name = text_or_empty(cookie, "name"),
                                .value = text_or_empty(cookie, "value"),
                                .domain = text_or_empty(cookie, "domain")});
  }
}

std::vector<std::string> tiktok_command(const TikTokConfig& config, const std::filesystem::path& home,
                                        const std::stop_token& stop) {
  if (find_chromium(config).empty()) {
    throw Exception(Code::invalid_config,
                    "collecting from tiktok needs Chromium. On Debian: apt-get install chromium; elsewhere: --set "
                    "collect.tiktok.chromium=FILE");
  }
  const auto python = config.python.empty() ? python_of("tiktok", home, stop) : std::filesystem::path(config.python);
  return guarded(python, "tiktok", config.memory);
}

std::filesystem::path find_chromium(const TikTokConfig& config) {
  if (!config.chromium.empty()) return std::filesystem::exists(config.chromium) ? config.chromium : std::string();
  return find_program({"chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"});
}

}  // namespace reeltag::collect

#include "sources/ytdlp.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/percent.hpp"
#include "sources/ytdlp_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr std::string_view kPlace = "{hashtag}";
constexpr std::int64_t kMaxList = 16 << 20;  // bytes of urls_file

// Cursor of an address that is a single video: its site and id, so that it is not requested again.
constexpr std::string_view kOne = "video ";

std::optional<Item> one_of(const std::string& cursor) {
  if (!cursor.starts_with(kOne)) return std::nullopt;
  const auto site = cursor.substr(kOne.size(), cursor.find(' ', kOne.size()) - kOne.size());
  const auto behind = kOne.size() + site.size() + 1;
  if (behind >= cursor.size()) return std::nullopt;
  return Item{.id = cursor.substr(behind), .author = {}, .caption = {}, .site = site};
}

// From 1; an invalid cursor starts at the beginning.
std::int64_t listing_cursor(const std::string& cursor) {
  std::int64_t place = 1;
  const auto [end, problem] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), place);
  return problem == std::errc() && end == cursor.data() + cursor.size() && place > 0 ? place : 1;
}

}  // namespace

YtdlpSource::YtdlpSource(const YtdlpConfig& config, YtdlpChild child) : config_(config), child_(std::move(child)) {
  if (!http::is_url(config.address) || config.address.find(kPlace) == std::string::npos) {
    throw Exception(Code::invalid_config,
                    "collect.ytdlp.address: '" + config.address + "' must be an address with {hashtag} in it");
  }
}

bool YtdlpSource::Listing::has(const std::string& of, std::int64_t place) const {
  const auto end = from + static_cast<std::int64_t>(entries.size());
  return address == of && place >= from && (place < end || last);
}

std::string YtdlpSource::address_of(const std::string& asked) const {
  if (http::is_url(asked)) return asked;
  auto address = config_.address;
  for (auto at = address.find(kPlace); at != std::string::npos; at = address.find(kPlace)) {
    address.replace(at, kPlace.size(), percent_encoded(asked));
  }
  return address;
}

std::vector<std::string> YtdlpSource::preview(const PageRequest& ask) const {
  return {dump_json({{"method", "GET"}, {"url", address_of(ask.hashtag)}, {"from", listing_cursor(ask.cursor)}})};
}

tl::expected<Page, SourceFailure> YtdlpSource::page(const PageRequest& ask, Gate& gate) {
  const auto place = listing_cursor(ask.cursor);
  const auto address = address_of(ask.hashtag);
  if (auto one = one_of(ask.cursor); one && ask.settled && ask.settled(one->site, one->id)) {
    Page page{.next = ask.cursor};
    page.items.push_back(std::move(*one));
    return page;
  }
  if (!listed_.has(address, place)) {
    if (auto got = list(address, place, gate); !got) return tl::unexpected(got.error());
  }
  return page_from(place, ask, gate);
}

tl::expected<void, SourceFailure> YtdlpSource::list(const std::string& address, std::int64_t place, Gate& gate) {
  listed_ = {.address = address, .from = place};
  bool ended = false;
  const auto got = child_.run({{"list", address}, {"from", place}, {"count", config_.list}}, config_.deadline, gate,
                              [&](const json& line) {
                                if (line.contains("listed")) ended = true;
                                const auto at = line.find("entry");
                                if (at == line.end() || !at->is_object()) return;
                                Entry entry{.url = at->value("url", ""), .item = ytdlp_entry(*at)};
                                const auto info = at->find("info");
                                entry.known = info != at->end();
                                listed_.one = listed_.one || entry.known;
                                if (entry.known) entry.item = ytdlp_item(*info);
                                listed_.entries.push_back(std::move(entry));
                              });
  // Entries received before the error are valid; the rest is requested later.
  if (!got && listed_.entries.empty()) {
    listed_ = {};
    return got;
  }
  listed_.last = ended && got && static_cast<int>(listed_.entries.size()) < config_.list;
  return {};
}

// Returns entries from a position on until `want` of them are not settled; those are requested.
tl::expected<Page, SourceFailure> YtdlpSource::page_from(std::int64_t place, const PageRequest& ask, Gate& gate) {
  const auto begin = static_cast<std::size_t>(place - listed_.from);
  auto end = begin;
  std::vector<Entry*> wanted;
  const auto most = static_cast<std::size_t>(std::clamp(ask.want, 1, config_.batch));
  for (; end < listed_.entries.size() && wanted.size() < most; ++end) {
    auto& entry = listed_.entries[end];
    const bool settled = ask.settled && !entry.item.id.empty() && ask.settled(entry.item.site, entry.item.id);
    if (!settled && !entry.known) wanted.push_back(&entry);
  }
  const auto asked = wanted.empty() ? tl::expected<void, SourceFailure>() : ask_items(wanted, gate);
  // The page ends before the first entry whose metadata is missing.
  const auto unknown = std::find_if(wanted.begin(), wanted.end(), [](const Entry* one) { return !one->known; });
  if (unknown != wanted.end()) end = static_cast<std::size_t>(*unknown - listed_.entries.data());
  if (!asked && end == begin) return tl::unexpected(asked.error());
  Page page;
  for (auto at = begin; at < end; ++at) {
    page.items.push_back(listed_.entries[at].item);
    listed_.entries[at].known = false;  // byte addresses expire: request it again next time
  }
  page.more = end < listed_.entries.size() || !listed_.last;
  if (listed_.one) {
    page.next = std::string(kOne) + page.items.front().site + " " + page.items.front().id;
  } else if (page.more) {
    page.next = std::to_string(listed_.from + static_cast<std::int64_t>(end));
  }
  return page;
}

// Requests the items in one process, and in a new one after an item that ends it. Returns a SourceFailure if the rest
// must wait; the items requested before are known by then.
tl::expected<void, SourceFailure> YtdlpSource::ask_items(std::vector<Entry*> wanted, Gate& gate) {
  while (!wanted.empty()) {
    json urls = json::array();
    for (const auto* entry : wanted) urls.push_back(entry->url);
    std::size_t done = 0;
    bool too_fast = false, challenged = false;
    const auto got = child_.run({{"items", std::move(urls)}}, config_.deadline, gate, [&](const json& line) {
      const auto index = line.value("item", std::int64_t{-1});
      if (too_fast || challenged || index != static_cast<std::int64_t>(done) || done == wanted.size()) return;
      auto& entry = *wanted[done];
      const auto error = line.find("error");
      too_fast = error != line.end() && is_too_fast(*error);
      if (too_fast) return;
      const auto id = entry.item.id;
      if (error != line.end()) {
        fail_item(*error, entry.item);
        if (id.empty()) entry.item.id = entry.url;
      } else {
        auto item = ytdlp_item(line.value("info", json::object()));
        if (item.id.empty()) item.id = id;
        entry.item = std::move(item);
      }
      entry.known = true;
      ++done;
      challenged = entry.item.failed == Outcome::blocked && !entry.item.only_this;
    });
    if (too_fast) {
      return tl::unexpected(
          SourceFailure{SourceError::rate_limited, wanted[done]->url + ": the site says it is asked too fast"});
    }
    if (challenged) return {};
    wanted.erase(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(done));
    if (wanted.empty()) break;
    if (!got && got.error().kind != SourceError::unavailable && got.error().kind != SourceError::schema_changed)
      return got;
    // The first one without an answer ended the process.
    auto& culprit = *wanted.front();
    culprit.item.failed = Outcome::unavailable;
    culprit.item.why = got ? "yt-dlp said nothing of it" : got.error().message;
    if (culprit.item.id.empty()) culprit.item.id = culprit.url;
    culprit.known = true;
    wanted.erase(wanted.begin());
  }
  return {};
}

std::vector<std::string> ytdlp_addresses(const YtdlpConfig& config) {
  auto addresses = config.urls;
  if (!config.urls_file.empty()) {
    std::istringstream lines(value_or_throw(read_file(config.urls_file, kMaxList)));
    for (std::string line; std::getline(lines, line);) {
      line.erase(0, line.find_first_not_of(" \t"));
      line.erase(line.find_last_not_of(" \t\r") + 1);
      if (!line.empty() && line.front() != '#') addresses.push_back(std::move(line));
    }
  }
  for (const auto& address : addresses) {
    const bool plain =
        std::all_of(address.begin(), address.end(), [](unsigned char c) { return c > 0x20 && c != 0x7F; });
    if (!http::is_url(address) || !plain) {
      throw Exception(Code::invalid_config, "collect.ytdlp.urls: '" + address + "' is no http or https address");
    }
  }
  std::vector<std::string> once;
  for (auto& address : addresses) {
    if (std::find(once.begin(), once.end(), address) == once.end()) once.push_back(std::move(address));
  }
  return once;
}

}  // namespace reeltag::collect

#include "crawl/engine.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <unordered_set>
#include <utility>

#include "reeltag/base/log.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::collect {
namespace {

// Consecutive pages without an item new to this run: the source returns pages in a cycle, or has no more despite
// `more`. Single empty pages with more behind them do occur.
constexpr int kMaxBarrenPages = 5;
// So many consecutive refused items mean that the client is blocked, not the items.
constexpr int kMaxRefusals = 3;
constexpr double kMaxWait = 900.0;  // seconds; a longer wait is left to a later run

constexpr std::array kOutcomes{
    std::pair{Outcome::added, "added"},
    std::pair{Outcome::metadata_only, "metadata_only"},
    std::pair{Outcome::duplicate, "duplicate"},
    std::pair{Outcome::forgotten, "forgotten"},
    std::pair{Outcome::private_video, "private"},
    std::pair{Outcome::deleted, "deleted"},
    std::pair{Outcome::blocked, "blocked"},
    std::pair{Outcome::not_a_video, "not_a_video"},
    std::pair{Outcome::too_large, "too_large"},
    std::pair{Outcome::decode_failed, "decode_failed"},
    std::pair{Outcome::link_expired, "link_expired"},
    std::pair{Outcome::schema_changed, "schema_changed"},
    std::pair{Outcome::unavailable, "unavailable"},
};

std::optional<Outcome> outcome_of(std::string_view name) {
  const auto* it = std::find_if(kOutcomes.begin(), kOutcomes.end(), [&](const auto& o) { return o.second == name; });
  return it == kOutcomes.end() ? std::nullopt : std::optional(it->first);
}

// Trying again cannot change it.
bool is_final(Outcome outcome) {
  switch (outcome) {
    case Outcome::private_video:
    case Outcome::deleted:
    case Outcome::not_a_video:
    case Outcome::too_large:
    case Outcome::decode_failed:
      return true;
    default:
      return false;
  }
}

Code code_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::private_video:
      return Code::permission_denied;
    case Outcome::deleted:
    case Outcome::link_expired:
      return Code::not_found;
    case Outcome::not_a_video:
      return Code::not_a_video;
    case Outcome::too_large:
      return Code::too_large;
    case Outcome::decode_failed:
      return Code::decode_failed;
    case Outcome::schema_changed:
      return Code::unsupported;
    default:
      return Code::unavailable;
  }
}

http::ClientOptions for_videos(const CollectConfig& config, const CollectOptions& options) {
  auto http = options.http;
  http.max_file_bytes = std::min(config.max_bytes, options.media.max_bytes);
  http.file_timeout = http.timeout = config.timeout;
  http.links_change = true;  // links are signed anew at each listing, and a kill may come in between
  return http;
}

// Sources may also be asked by address, which is not a hashtag of the items.
void add_hashtag(std::vector<std::string>& hashtags, const std::string& asked) {
  if (http::is_url(asked) || std::find(hashtags.begin(), hashtags.end(), asked) != hashtags.end()) return;
  hashtags.push_back(asked);
}

void count(HashtagReport& report, Outcome outcome) {
  ++report.seen;
  ++report.outcomes[std::string(outcome_name(outcome))];
  if (is_failure(outcome)) {
    ++report.failed;
  } else {
    const bool new_here = outcome == Outcome::added || outcome == Outcome::metadata_only;
    ++(new_here ? report.added : report.duplicate);
  }
}

}  // namespace

std::string day_of(std::int64_t seconds) {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  const std::chrono::year_month_day date(days);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::string_view outcome_name(Outcome outcome) {
  const auto* it = std::find_if(kOutcomes.begin(), kOutcomes.end(), [&](const auto& o) { return o.first == outcome; });
  return it->second;
}

bool is_failure(Outcome outcome) {
  return outcome != Outcome::added && outcome != Outcome::metadata_only && outcome != Outcome::duplicate &&
         outcome != Outcome::forgotten;
}

Engine::Engine(Source& source, const Policy& policy, const CollectConfig& config, const CollectOptions& options,
               catalog::Catalog& catalog, store::Store& store, Clock& clock, const OnFailure& on_failure)
    : source_(source),
      config_(config),
      options_(options),
      catalog_(catalog),
      store_(store),
      clock_(clock),
      on_failure_(on_failure),
      rate_(clock, policy.requests_per_minute),
      journal_(catalog.notes, std::string(source.name()), source.scope()),
      fetcher_(options.home / "collect" / std::string(source.name()), for_videos(config, options), options.media,
               catalog, store),
      authors_(options.home / "author.salt"),
      deadline_(clock.now() + config.deadline) {}

CollectReport Engine::run(std::span<const std::string> hashtags) {
  if (const auto until = journal_.cooling_until(); until > clock_.unix_seconds()) {
    throw Exception(Code::unavailable, std::string(source_.name()) +
                                           " asked for a human not long ago; nothing is asked for " +
                                           std::to_string(until - clock_.unix_seconds()) +
                                           " s more. Look at what its terms allow before going on");
  }
  journal_.open_round(hashtags, config_.limit);
  CollectReport report{.source = std::string(source_.name())};
  bool whole = true;
  for (const auto& hashtag : hashtags) {
    HashtagCursor at = journal_.cursor_of(hashtag);
    if (whole && !at.done) whole = collect(hashtag, at) == NextStep::hashtag;
    report.hashtags.emplace_back(hashtag, std::move(at.report));
  }
  if (whole) journal_.close_round();
  for (auto& [hashtag, one] : report.hashtags) {
    if (one.ended.empty()) one.ended = "not_asked";
  }
  return report;
}

Engine::NextStep Engine::collect(const std::string& hashtag, HashtagCursor& at) {
  std::unordered_set<std::string> met;
  std::int64_t skip = at.at;  // items of the page that an earlier run handled
  int barren = 0;
  at.report.ended = at.report.message = {};
  for (int pages = 0; at.tried < config_.limit; ++pages) {
    if (late()) return end(hashtag, at, "deadline", "the run has its time (collect.deadline); run it again to go on");
    if (pages == config_.max_pages) return end(hashtag, at, "pages", "more pages than collect.max_pages");
    const auto page = ask(hashtag, at);
    if (!page) return source_error(hashtag, at, page.error());
    bool news = false;
    std::int64_t index = 0;
    for (const auto& item : page->items) {
      check_stop();
      news |= !item.id.empty() && met.insert(item.id).second;
      if (index++ < skip) {
        const auto file = download_of(item);
        if (fetcher_.has(file)) fetcher_.forget(file);  // a kill came between record() and forget()
        continue;
      }
      if (!take(item, hashtag, at)) {
        return end(hashtag, at, "blocked",
                   refusals_ == 0 ? "a challenge page came; collection stops and does not answer it"
                                  : std::to_string(refusals_) + " items in a row are kept from us; collection stops");
      }
      if (at.tried >= config_.limit) return end(hashtag, at, "limit");
    }
    skip = at.at = 0;
    at.cursor = page->next;
    if (!page->more) return end(hashtag, at, "exhausted");
    barren = news ? 0 : barren + 1;
    if (barren == kMaxBarrenPages) {
      at.cursor = at.start;
      return end(hashtag, at, "repeats", std::to_string(barren) + " pages in a row brought nothing new");
    }
    journal_.save(hashtag, at);
    if (barren > 0) wait(config_.backoff * barren);  // search results may not be ready yet
  }
  return end(hashtag, at, "limit");
}

// Ends that keep the round open also end the run, as no further request can be sent now.
Engine::NextStep Engine::end(const std::string& hashtag, HashtagCursor& at, const std::string& ended,
                             const std::string& message) {
  at.report.ended = ended;
  at.report.message = message;
  const bool open = ended == "deadline" || ended == "quota" || ended == "blocked";
  at.done = !open;
  if (ended == "blocked") journal_.cool_down(clock_.unix_seconds(), config_.cool_down);
  journal_.save(hashtag, at);
  log::info("collected",
            {{"hashtag", hashtag}, {"seen", at.report.seen}, {"added", at.report.added}, {"ended", ended}});
  return open ? NextStep::nothing : NextStep::hashtag;
}

Engine::NextStep Engine::source_error(const std::string& hashtag, HashtagCursor& at, const SourceFailure& failure) {
  switch (failure.kind) {
    case SourceError::refused:
      journal_.save(hashtag, at);
      throw Exception(Code::permission_denied, failure.message);
    case SourceError::quota:
      if (source_.daily_requests() > 0) {
        journal_.set_requests(day_of(clock_.unix_seconds()), source_.daily_requests());
      }
      return end(hashtag, at, "quota", failure.message);
    case SourceError::blocked:
      count(at.report, Outcome::blocked);
      return end(hashtag, at, "blocked", failure.message + "; collection stops and does not answer it");
    case SourceError::schema_changed:
      count(at.report, Outcome::schema_changed);
      at.cursor = at.start;
      return end(hashtag, at, "schema_changed", failure.message);
    case SourceError::not_listed:
      return end(hashtag, at, "not_listed", failure.message);
    case SourceError::unavailable:
    case SourceError::rate_limited:
      break;
  }
  return end(hashtag, at, failure.kind == SourceError::rate_limited ? "rate_limited" : "unavailable", failure.message);
}

tl::expected<Page, SourceFailure> Engine::ask(const std::string& hashtag, const HashtagCursor& at) {
  const auto want = static_cast<int>(std::min<std::int64_t>(config_.limit - at.tried + at.at, 1'000'000));
  const auto settled = [this](const std::string& site, const std::string& id) {
    const auto known = catalog_.posts.get(site, id);
    return known && is_settled(*known);
  };
  for (int attempt = 0;; ++attempt) {
    auto page = source_.page({.hashtag = hashtag, .cursor = at.cursor, .want = want, .settled = settled}, *this);
    if (page) {
      journal_.calm();
      return page;
    }
    const auto& failure = page.error();
    const bool passing = failure.kind == SourceError::unavailable || failure.kind == SourceError::rate_limited;
    if (failure.kind == SourceError::rate_limited) rate_.slow_down();
    if (!passing || attempt >= config_.retries || failure.retry_after > kMaxWait || late()) return page;
    log::warning("collect_retry", {{"hashtag", hashtag}, {"attempt", attempt + 1}, {"why", failure.message}});
    wait(std::max(failure.retry_after, std::min(std::ldexp(config_.backoff, attempt), kMaxWait)));
  }
}

tl::expected<void, SourceFailure> Engine::enter(bool counted) {
  check_stop();
  const auto granted = source_.daily_requests();
  if (counted && granted > 0) {
    const auto day = day_of(clock_.unix_seconds());
    const auto used = journal_.requests(day);
    if (used >= granted) {
      return tl::unexpected(SourceFailure{SourceError::quota, "the " + std::to_string(granted) + " requests of " + day +
                                                                  " are used up; it begins anew at 00:00 UTC"});
    }
    journal_.set_requests(day, used + 1);  // before it is sent: a kill must not lose the count
  }
  wait(rate_.take());
  return {};
}

// False after a challenge page: the item is left for a later run.
bool Engine::take(const Item& item, const std::string& hashtag, HashtagCursor& at) {
  try {
    return write(item, hashtag, judge(item, hashtag), at);
  } catch (const Exception& e) {
    if (e.code() != Code::invalid_argument) throw;  // the catalog cannot hold its text: only this item fails
    return write(item, hashtag, {.outcome = Outcome::schema_changed, .why = e.what(), .tried = true}, at);
  }
}

// Writes the item, its video and the cursor in one transaction.
bool Engine::write(const Item& item, const std::string& hashtag, ItemResult result, HashtagCursor& at) {
  HashtagCursor next = at;
  count(next.report, result.outcome);
  const bool kept_from_us = result.outcome == Outcome::blocked && item.only_this;
  if (result.outcome != Outcome::duplicate) refusals_ = kept_from_us ? refusals_ + 1 : 0;
  const bool blocked = result.outcome == Outcome::blocked && (!kept_from_us || refusals_ == kMaxRefusals);
  if (!blocked) {
    ++next.at;
    next.tried += result.tried ? 1 : 0;
    catalog::ChangeSet record{
        .video = std::move(result.video), .post = std::move(result.post), .notes = {journal_.note(hashtag, next)}};
    if (result.stored) record.fingerprint = result.stored->fingerprint;
    // It was forgotten during the request.
    if (catalog_.record(record) == catalog::AddOutcome::forgotten && result.stored)
      ingest::undo_ingest(*result.stored, catalog_, store_);
    if (const auto file = download_of(item); !item.id.empty() && fetcher_.has(file)) fetcher_.forget(file);
  }
  at = std::move(next);
  if (is_failure(result.outcome)) report(item, hashtag, result);
  return !blocked;
}

// Name of the download: ids are unique only within a site.
std::string Engine::download_of(const Item& item) const {
  return site_of(item) == source_.site() ? item.id : item.site + "/" + item.id;
}

std::string Engine::site_of(const Item& item) const {
  return item.site.empty() ? std::string(source_.site()) : item.site;
}

// Whether no more can be learned of it, at least in this round.
bool Engine::is_settled(const catalog::Post& known) const {
  const auto before = outcome_of(known.outcome);
  const bool this_round = known.round == journal_.round() && known.source == source_.name();
  return !known.video.empty() || this_round || (before && is_final(*before));
}

Engine::ItemResult Engine::judge(const Item& item, const std::string& hashtag) {
  if (item.id.empty()) return {.outcome = Outcome::schema_changed, .why = "an item has no id", .tried = true};
  if (is_forgotten(item)) return {.outcome = Outcome::forgotten};
  if (const auto known = catalog_.posts.get(site_of(item), item.id)) {
    const bool metadata_only =
        known->outcome == outcome_name(Outcome::metadata_only) && item.url.empty() && !item.failed;
    const bool this_round = known->round == journal_.round() && known->source == source_.name();
    if (!known->video.empty()) return met_again(*known, item, hashtag);
    if (this_round || metadata_only) return {};
    if (is_settled(*known)) return {.outcome = *outcome_of(known->outcome), .why = "as was found before"};
  }
  auto post = post_of(item, hashtag);
  const auto without_bytes = [&](Outcome outcome, const std::string& why) {
    post.outcome = outcome_name(outcome);
    return ItemResult{.outcome = outcome, .why = why, .tried = true, .post = std::move(post)};
  };
  if (item.failed) return without_bytes(*item.failed, item.why);
  if (!item.anonymous && (item.author.empty() || !item.created)) {
    return without_bytes(Outcome::schema_changed, item.author.empty() ? "it names no author" : "it has no date");
  }
  if (item.url.empty()) return without_bytes(Outcome::metadata_only, "");
  return fetch(item, std::move(post));
}

bool Engine::is_forgotten(const Item& item) {
  using catalog::Forgettable;
  return catalog_.tombstones.holds(Forgettable::post, site_of(item) + ":" + item.id) ||
         (!item.author.empty() && catalog_.tombstones.holds(Forgettable::author, authors_.hash(item.author)));
}

// Its bytes are stored already: it can only gain hashtags.
Engine::ItemResult Engine::met_again(const catalog::Post& known, const Item& item, const std::string& hashtag) {
  ItemResult result;
  result.video = catalog_.videos.get(known.video);
  if (result.video) {
    result.video->hashtags = item.hashtags;
    add_hashtag(result.video->hashtags, hashtag);
  }
  return result;
}

Engine::ItemResult Engine::fetch(const Item& item, catalog::Post post) {
  auto got = get(item);
  ItemResult result{.outcome = got.outcome, .why = got.why, .tried = true};
  if (got.stored && got.stored->forgotten) {
    catalog_.tombstones.forget(catalog::Forgettable::post,
                               post.site + ":" + post.id);  // so that it is not fetched again
    return {.outcome = Outcome::forgotten, .tried = true};
  }
  if (got.stored) {
    const bool there = catalog_.videos.get(got.stored->id).has_value();
    result.outcome = there ? Outcome::duplicate : Outcome::added;
    auto video = ingest::video_row(*got.stored);
    video.source = post.source;
    video.source_id = post.id;
    video.group = post.author.empty() ? video.id : post.author;  // keeps an author's videos on one side of a split
    video.author = post.author;
    video.caption = post.caption;
    video.hashtags = post.hashtags;
    video.created = post.created;
    video.attributes = post.attributes;
    post.video = video.id;
    result.video = std::move(video);
    result.stored = std::move(got.stored);
  }
  post.outcome = outcome_name(result.outcome);
  result.post = std::move(post);
  return result;
}

FetchResult Engine::get(const Item& item) {
  for (int attempt = 0;; ++attempt) {
    if (!fetcher_.has(download_of(item))) {
      if (auto may = enter(false); !may) return {.outcome = Outcome::unavailable, .why = may.error().message};
    }
    auto got = fetcher_.get(download_of(item), item.url, item.headers);
    if (got.stored || !got.again || attempt >= config_.retries || late()) return got;
    wait(std::min(std::ldexp(config_.backoff, attempt), kMaxWait));
  }
}

catalog::Post Engine::post_of(const Item& item, const std::string& hashtag) {
  catalog::Post post{.site = site_of(item),
                     .id = item.id,
                     .source = std::string(source_.name()),
                     .video = {},
                     .outcome = {},
                     .round = journal_.round(),
                     .author = authors_.hash(item.author),
                     .caption = item.caption,
                     .hashtags = item.hashtags,
                     .created = item.created,
                     .attributes = item.attributes,
                     .seen = 0};
  // The source returned it for this hashtag, whatever the caption says.
  add_hashtag(post.hashtags, hashtag);
  return post;
}

void Engine::report(const Item& item, const std::string& hashtag, const ItemResult& result) {
  if (!on_failure_) return;
  on_failure_(!item.id.empty()        ? item.id
              : http::is_url(hashtag) ? hashtag
                                      : "#" + hashtag,
              {code_of(result.outcome), std::string(outcome_name(result.outcome)) + ": " + result.why});
}

void Engine::wait(double seconds) {
  if (seconds > 0) clock_.sleep(seconds, options_.stop);
  check_stop();
}

void Engine::check_stop() const {
  if (!options_.stop.stop_requested()) return;
  throw Exception(Code::interrupted, "collection stopped; what was stored stays. Run it again to go on");
}

}  // namespace reeltag::collect

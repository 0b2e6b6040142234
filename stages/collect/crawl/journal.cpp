#include "crawl/journal.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "reeltag/base/ids.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/http.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr double kMaxCoolDown = 86'400.0;  // seconds, unless the configured one is longer
constexpr int kMaxDoublings = 20;
const std::string kPrefix = "collect/";  // of the notes of all sources

// The JSON object of a note; empty if it is missing or unreadable.
json object_of(const std::optional<std::string>& text) {
  if (!text) return json::object();
  auto parsed = parse_json(*text, "note");
  return parsed && parsed->is_object() ? std::move(*parsed) : json::object();
}

std::int64_t number(const json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}
std::string text(const json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}
bool truth(const json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_boolean() && at->get<bool>();
}

json report_json(const HashtagReport& r) {
  return {{"seen", r.seen},         {"added", r.added}, {"duplicate", r.duplicate}, {"failed", r.failed},
          {"outcomes", r.outcomes}, {"ended", r.ended}, {"message", r.message}};
}

HashtagReport report_of(const json& from) {
  HashtagReport r{.seen = number(from, "seen"),
                  .added = number(from, "added"),
                  .duplicate = number(from, "duplicate"),
                  .failed = number(from, "failed"),
                  .outcomes = {},
                  .ended = text(from, "ended"),
                  .message = text(from, "message")};
  if (const auto at = from.find("outcomes"); at != from.end() && at->is_object()) {
    for (const auto& [word, count] : at->items()) {
      if (count.is_number_integer()) r.outcomes[word] = count.get<std::int64_t>();
    }
  }
  return r;
}

}  // namespace

Journal::Journal(catalog::Notes& notes, std::string source, std::string scope)
    : notes_(notes), source_(std::move(source)), scope_(std::move(scope)) {}

std::string Journal::name(const std::string& what) const { return kPrefix + source_ + "/" + what; }

std::string Journal::hashtag_name(const std::string& hashtag) const {
  // Hashed, since an address may name an author.
  return name("hashtag/" + (scope_.empty() ? std::string("-") : content_id(scope_)) + "/" +
              (http::is_url(hashtag) ? content_id(hashtag) : hashtag));
}

void Journal::write(const std::string& what, const std::string& body) {
  notes_.put({.name = name(what), .body = body});
}

void Journal::open_round(std::span<const std::string> hashtags, std::int64_t limit) {
  std::vector<std::string> sorted(hashtags.begin(), hashtags.end());
  std::sort(sorted.begin(), sorted.end());
  identity_ = content_id(json{{"scope", scope_}, {"hashtags", sorted}, {"limit", limit}}.dump());
  const auto last = object_of(notes_.get(name("round")));
  round_ = number(last, "round");
  if (truth(last, "open") && text(last, "identity") == identity_) return;
  ++round_;
  write_round(true);
}

void Journal::close_round() { write_round(false); }

void Journal::write_round(bool open) {
  write("round", dump_json({{"round", round_}, {"identity", identity_}, {"open", open}}));
}

HashtagCursor Journal::cursor_of(const std::string& hashtag) {
  const auto last = object_of(notes_.get(hashtag_name(hashtag)));
  HashtagCursor s{.round = round_, .done = false, .start = text(last, "cursor"), .cursor = text(last, "cursor")};
  if (number(last, "round") != round_) return s;
  s.done = truth(last, "done");
  s.start = text(last, "start");
  s.at = number(last, "at");
  s.tried = number(last, "tried");
  if (const auto report = last.find("report"); report != last.end()) s.report = report_of(*report);
  return s;
}

catalog::Note Journal::note(const std::string& hashtag, const HashtagCursor& s) const {
  return {hashtag_name(hashtag), dump_json({{"round", s.round},
                                            {"done", s.done},
                                            {"start", s.start},
                                            {"cursor", s.cursor},
                                            {"at", s.at},
                                            {"tried", s.tried},
                                            {"report", report_json(s.report)}})};
}

void Journal::save(const std::string& hashtag, const HashtagCursor& s) { notes_.put(note(hashtag, s)); }

std::int64_t Journal::requests(const std::string& day) {
  const auto ledger = object_of(notes_.get(name("requests")));
  return text(ledger, "day") == day ? number(ledger, "count") : 0;
}

void Journal::set_requests(const std::string& day, std::int64_t count) {
  write("requests", dump_json({{"day", day}, {"count", count}}));
}

std::int64_t Journal::cooling_until() { return number(object_of(notes_.get(name("cool-down"))), "until"); }

void Journal::cool_down(std::int64_t now, double seconds) {
  const auto times = std::min<std::int64_t>(number(object_of(notes_.get(name("cool-down"))), "times"), kMaxDoublings);
  const double wait = std::min(std::ldexp(seconds, static_cast<int>(times)), std::max(seconds, kMaxCoolDown));
  write("cool-down", dump_json({{"until", now + static_cast<std::int64_t>(std::ceil(wait))}, {"times", times + 1}}));
}

void Journal::calm() {
  if (notes_.get(name("cool-down")).value_or("{}") != "{}") write("cool-down", "{}");
}

std::vector<CollectedNote> collected_notes(catalog::Notes& notes) {
  const std::string of_hashtag = "/hashtag/";
  std::vector<CollectedNote> collected;
  for (const auto& note : notes.list(kPrefix)) {
    // collect/SOURCE/hashtag/SCOPE/HASHTAG
    const auto source = kPrefix.size(), end = note.name.find(of_hashtag, source);
    if (end == std::string::npos) continue;
    const auto hashtag = note.name.find('/', end + of_hashtag.size());
    if (hashtag == std::string::npos) continue;
    const auto body = object_of(note.body);
    const auto report = body.find("report");
    collected.push_back({.source = note.name.substr(source, end - source),
                         .hashtag = note.name.substr(hashtag + 1),
                         .ended = report == body.end() ? std::string() : report_of(*report).ended});
  }
  return collected;
}

}  // namespace reeltag::collect

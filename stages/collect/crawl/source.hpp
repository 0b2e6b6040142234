// Interface of a video source: returns pages of items for a hashtag, in order, and classifies errors for the engine. A
// source knows how to request; the engine decides when and how often (Gate).
// Implementations: one thread. Exception only for an unusable configuration; all else is a SourceFailure.
//
//   auto page = source.page({.hashtag = "cats", .cursor = "", .want = 20}, gate);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace reeltag::collect {

// Outcome of one item. Reports and the catalog use the words of outcome_name().
enum class Outcome {
  added,           // its bytes are stored
  metadata_only,   // new, without bytes: the source provides none
  duplicate,       // the catalog has the item, or another with the same bytes
  forgotten,       // it, its bytes or its author was forgotten; nothing of it is kept
  private_video,   // visible to some people only
  deleted,         // no longer there
  blocked,         // a challenge instead of an answer
  not_a_video,     // the bytes are not a video
  too_large,       // in bytes, pixels or duration
  decode_failed,   // a video that fails to decode
  link_expired,    // the address of the bytes has expired
  schema_changed,  // not the expected form: no id, no author, no date
  unavailable      // no answer after all retries
};
std::string_view outcome_name(Outcome outcome);
bool is_failure(Outcome outcome);

struct Item {
  std::string id;      // as given by the site
  std::string author;  // the name; hashed before it is stored
  std::string caption;
  std::vector<std::string> hashtags = {};  // normalized
  std::optional<std::int64_t> created = {};
  std::string attributes = "{}";
  std::string url = {};                   // of the bytes; empty: none available
  std::vector<std::string> headers = {};  // for the request of the bytes, "Referer: ..."
  std::optional<Outcome> failed = {};     // if the source itself reports an outcome
  std::string why = {};
  std::string site = {};   // the site that issued the id; empty: Source::site()
  bool anonymous = false;  // author and date may be missing: the site gives none
  bool only_this = false;  // `blocked` applies to this item only, not to the client
};

struct Page {
  std::vector<Item> items = {};
  std::string next = {};  // cursor of the next page; on the last page: where a later collection starts
  bool more = false;
};

// Why there is no page.
enum class SourceError {
  unavailable,     // no answer or a malformed one: retry
  rate_limited,    // too fast: retry later, more slowly
  quota,           // daily quota used up
  blocked,         // a challenge page
  schema_changed,  // an answer in an unexpected form
  not_listed,      // no such list, or no access to it; others may still work
  refused          // bad credentials or addresses: retrying does not help
};
struct SourceFailure {
  SourceError kind = SourceError::unavailable;
  std::string message = {};
  double retry_after = 0.0;  // seconds, if the source gives it
};

// Every request passes it first: waits until the rate allows the request, and counts it.
class Gate {
 public:
  virtual ~Gate() = default;
  // counted: the request uses the daily quota. On a SourceFailure it must not be sent.
  virtual tl::expected<void, SourceFailure> enter(bool counted) = 0;
};

struct PageRequest {
  std::string hashtag;  // normalized; or an address, for sources that accept those
  std::string cursor;   // empty: from the start
  int want = 0;         // items still wanted; a page may have more
  // Whether an item needs no further request: a source that requests items one by one returns such an item with id and
  // site only.
  std::function<bool(const std::string& site, const std::string& id)> settled = {};
};

class Source {
 public:
  virtual ~Source() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  // "research"
  [[nodiscard]] virtual std::string_view site() const = 0;  // the site that issued the item ids: "tiktok"
  // The part of the configuration that determines the items: cursors of another scope are ignored.
  [[nodiscard]] virtual std::string scope() const { return {}; }
  // Counted requests granted per day; 0: unlimited.
  [[nodiscard]] virtual std::int64_t daily_requests() const { return 0; }
  virtual tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) = 0;
  // What page() would send, each a JSON object {"method","url","body"?}, without secrets.
  [[nodiscard]] virtual std::vector<std::string> preview(const PageRequest& ask) const = 0;
};

}  // namespace reeltag::collect

// Where videos come from: a source gives pages of items for a hashtag, one after the other, and says what goes wrong in
// words that the engine acts on. It keeps to itself how it asks; when and how often is the engine's business (Gate).
// Implementations: one thread. Exception only for a configuration that cannot work; the rest is a SourceFailure.
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

// How it ends with one item. The words of outcome_name() are in reports and in the catalog.
enum class Outcome {
  added,           // its bytes are stored
  metadata_only,   // new, without bytes: the source gives none
  duplicate,       // the catalog has the item, or another one of the same bytes
  forgotten,       // it, its bytes or its author was forgotten: nothing of it is kept
  private_video,   // only for some people
  deleted,         // gone
  blocked,         // a challenge in place of an answer
  not_a_video,     // other bytes than a video's
  too_large,       // of bytes, pixels or duration
  decode_failed,   // a video that breaks
  link_expired,    // the address of the bytes is not valid any more
  schema_changed,  // not what the source used to say: no id, no author, no date
  unavailable      // no answer, after some tries
};
std::string_view outcome_name(Outcome outcome);
bool is_failure(Outcome outcome);

struct Item {
  std::string id;      // the site's own
  std::string author;  // the name; hashed before it is stored
  std::string caption;
  std::vector<std::string> hashtags = {};  // normalised
  std::optional<std::int64_t> created = {};
  std::string attributes = "{}";
  std::string url = {};                   // of the bytes; empty: there are none
  std::vector<std::string> headers = {};  // that the bytes are asked for with, "Referer: ..."
  std::optional<Outcome> failed = {};     // where the source says so itself
  std::string why = {};
  std::string site = {};   // whose id it has; empty: Source::site()
  bool anonymous = false;  // it may be without author and date: its site tells of none
  bool only_this = false;  // `blocked` is said of this item alone, not of whoever asks
};

struct Page {
  std::vector<Item> items = {};
  std::string next = {};  // the cursor behind it; of the last page: where a later collection begins
  bool more = false;
};

// Why there is no page.
enum class SourceError {
  unavailable,     // no answer or a broken one: try again
  rate_limited,    // too fast: try again later, slower
  quota,           // no more today
  blocked,         // a challenge page
  schema_changed,  // an answer of another form
  not_listed,      // there is no such list, or it is not for us; others may be asked for
  refused          // credentials or addresses that will not get better by trying
};
struct SourceFailure {
  SourceError kind = SourceError::unavailable;
  std::string message = {};
  double retry_after = 0.0;  // seconds, where the source says so
};

// Every request passes it first: it waits for its turn and counts.
class Gate {
 public:
  virtual ~Gate() = default;
  // counted: the request uses the daily quota up. A SourceFailure says that it must not be sent.
  virtual tl::expected<void, SourceFailure> enter(bool counted) = 0;
};

struct PageRequest {
  std::string hashtag;  // normalised; or an address, of sources that take those
  std::string cursor;   // empty: from the beginning
  int want = 0;         // items that are still of interest; a page may have more
  // Whether all is known of an item that will be known: a source that has to ask for each leaves it at id and site.
  std::function<bool(const std::string& site, const std::string& id)> settled = {};
};

class Source {
 public:
  virtual ~Source() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  // "research"
  [[nodiscard]] virtual std::string_view site() const = 0;  // whose ids the items have: "tiktok"
  // What of the configuration decides which items there are: cursors of another scope are not used.
  [[nodiscard]] virtual std::string scope() const { return {}; }
  // Counted requests granted in a day; 0: no such bound.
  [[nodiscard]] virtual std::int64_t daily_requests() const { return 0; }
  virtual tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) = 0;
  // What page() would send, each a JSON object {"method","url","body"?}, without secrets.
  [[nodiscard]] virtual std::vector<std::string> preview(const PageRequest& ask) const = 0;
};

}  // namespace reeltag::collect

// The memory of what was collected: videos with their facts, captions and typed hashtags.
// Thread-safe, and several processes may use one catalog at once. Every call is one transaction: after it returns the
// change survives a crash; when it throws nothing changed. Failures throw Exception: invalid_argument (a video that
// cannot be stored), unavailable (locked for too long, disk full), corrupt, permission_denied, unsupported.
// What lies underneath (SQLite today) does not show here.
//
//   auto catalog = catalog::open(home / "catalog.db");
//   if (catalog->add(video) == catalog::Added::duplicate) ...
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::catalog {

// Texts are UTF-8 without NUL, numbers are finite.
struct Video {
  std::string id;         // 64 lower-case hex digits: the SHA-256 of the bytes
  std::string key;        // where the bytes are in the store
  std::string source;     // "import", "tiktok", ...
  std::string source_id;  // the source's own id for it; may be empty
  std::string group;      // clips of one source video, camera or author: stay on one side of a split
  std::string author;     // salted hash or empty; never a name
  std::string caption;
  std::vector<std::string>
      hashtags;  // as typed, in order, without '#'; the first one is the class of single-label sets
  std::optional<std::int64_t> created;  // seconds since 1970, UTC, when the source says so
  double duration = 0.0;                // seconds
  int width = 0, height = 0;            // pixels, upright
  double fps = 0.0;
  std::string codec;
  std::int64_t size_bytes = 0;
  std::string attributes = "{}";  // JSON object: what else the source said
  std::int64_t added = 0;         // seconds since 1970, UTC; set by add()

  bool operator==(const Video&) const = default;
};

enum class Added { added, duplicate };

struct Filter {
  std::optional<std::string> source;   // exactly
  std::optional<std::string> hashtag;  // in any spelling: compared by normalise_hashtag()
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Adds the video, or leaves the existing row with the same id as it is and adds hashtags that it lacks, at the end.
  // Throws invalid_argument, naming the field, for a video that breaks a rule above or has an empty hashtag.
  virtual Added add(const Video& video) = 0;
  // The same for many, in one transaction and much faster; one answer each, in order. All or nothing.
  virtual std::vector<Added> add_all(std::span<const Video> videos) = 0;
  virtual std::optional<Video> get(std::string_view id) = 0;
  // Calls visit for each video, ordered by id, as all of them were at the beginning; what visit throws ends it. The
  // callback must not call back into the catalog (Exception internal), and other threads wait for it.
  virtual void each(const Filter& filter, const std::function<void(const Video&)>& visit) = 0;
  virtual std::int64_t count(const Filter& filter) = 0;
  // Hashtags (normalised) with the number of videos that carry them, most frequent first, then by name.
  virtual std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() = 0;
};

struct Options {
  double lock_wait = 10.0;  // seconds
};
template <class V>
void visit(V& v, Options& o) {
  v("lock_wait", o.lock_wait, "Longest wait in seconds for another process that is writing to the catalog");
}

// Opens, creating and migrating as needed. location: a file path, or sqlite:///absolute/path (not percent-encoded).
// Other schemes: unsupported for now. A catalog of a newer reeltag: unsupported.
std::unique_ptr<Catalog> open(const std::string& location, const Options& options = {});

// The one spelling that stands for a typed hashtag: NFKC and case folding, until nothing changes. Emoji and every
// script are kept. Invalid UTF-8 becomes U+FFFD.
std::string normalise_hashtag(std::string_view typed);

}  // namespace reeltag::catalog

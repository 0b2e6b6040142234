// The memory of what was collected: videos with their facts, captions and typed hashtags.
// Thread-safe, and several processes may use one catalog at once. Every call is one transaction: after it returns the
// change survives a crash; when it throws nothing changed. Failures throw Exception: invalid_argument (a video that
// cannot be stored), unavailable (locked for too long, disk full, no server), corrupt, permission_denied, unsupported.
// What lies underneath (SQLite, PostgreSQL) does not show here.
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
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::catalog {

// Texts are UTF-8 without NUL, numbers are finite; a hashtag, source, group, author or key of a post has at
// most 1000 bytes.
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

// forgotten: it has a tombstone (Catalog::forget) and was not stored.
enum class AddOutcome { added, duplicate, forgotten };

// What a site said about one of its videos, with or without the bytes here. `video` rows are videos with bytes; a post
// whose `video` is empty is only described (docs/adr/0032).
struct Post {
  std::string site, id;  // "tiktok" and the site's own id; together the key
  std::string source;    // by which way it came: "research"
  std::string video;     // Video::id of its bytes; empty while there are none
  std::string outcome;   // how the last try ended, a word of the collector's
  std::int64_t round = 0;
  std::string author;  // salted hash or empty; never a name
  std::string caption;
  std::vector<std::string> hashtags;
  std::optional<std::int64_t> created;
  std::string attributes = "{}";
  std::int64_t seen = 0;  // seconds since 1970, UTC; set by record()

  bool operator==(const Post&) const = default;
};

// A small text under a name that outlives a run: a cursor, a ledger.
struct Note {
  std::string name, body;

  bool operator==(const Note&) const = default;
};

// Changes that belong together.
struct ChangeSet {
  std::optional<Video> video = {};              // added as by add()
  std::optional<Post> post = {};                // replaces the one of the same site and id
  std::vector<Note> notes = {};                 // each replaces the one of its name
  std::optional<std::string> fingerprint = {};  // of the video, as SplitGrouping has it; unset: not known
};

// What of a video says which others it must not be parted from. `fingerprint` is the text of media::Fingerprint, empty
// for a video that has none (all its frames are flat, or it does not decode); unset: nobody has looked yet.
struct SplitGrouping {
  std::string video, key, group, author;
  std::optional<std::string> fingerprint;
  std::string cluster;  // of videos that look alike; empty: it is alone, or not looked at
  std::optional<std::int64_t> created;

  bool operator==(const SplitGrouping&) const = default;
};

// By what something is forgotten. The values: Video::id; Post as "site:id"; the salted hash of an author; content_id()
// of a post's id, by which its download is named (each post's comes with it).
enum class Forgettable { video, post, author, download };

// What had rows and has none any more.
struct ForgetResult {
  std::vector<std::string> videos;  // ids
  std::vector<std::string> posts;   // "site:id"

  bool operator==(const ForgetResult&) const = default;
};

// All tombstones at one moment, to go through many things. A plain value.
class Tombstones {
 public:
  Tombstones() = default;
  Tombstones(std::string salt, std::unordered_set<std::string> names)
      : salt_(std::move(salt)), names_(std::move(names)) {}
  [[nodiscard]] bool empty() const { return names_.empty(); }
  [[nodiscard]] bool holds(Forgettable kind, std::string_view value) const;

 private:
  std::string salt_;
  std::unordered_set<std::string> names_;
};

// Fingerprint and cluster of a video, as SplitGrouping has them.
struct FingerprintRow {
  std::string video, fingerprint, cluster;

  bool operator==(const FingerprintRow&) const = default;
};

// What was forgotten, as it is kept: its name means something together with the note kSaltNote only.
struct Tombstone {
  std::string kind, name;
  std::int64_t made = 0;  // seconds since 1970, UTC

  bool operator==(const Tombstone&) const = default;
};
inline constexpr std::string_view kSaltNote = "forget/salt";

// Anything that a catalog holds, to move it elsewhere.
using Row = std::variant<Video, FingerprintRow, Post, Note, Tombstone>;

struct Counts {
  std::int64_t videos = 0, fingerprints = 0, posts = 0, notes = 0, tombstones = 0;

  bool operator==(const Counts&) const = default;
};

struct Filter {
  std::optional<std::string> source;   // exactly
  std::optional<std::string> hashtag;  // in any spelling: compared by hashtag::fold()
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Adds the video, or leaves the existing row with the same id as it is and adds hashtags that it lacks, at the end.
  // What was forgotten is not stored.
  // Throws invalid_argument, naming the field, for a video that breaks a rule above or has an empty hashtag.
  virtual AddOutcome add(const Video& video) = 0;
  // The same for many, in one transaction and much faster; one answer each, in order. All or nothing.
  virtual std::vector<AddOutcome> add_all(std::span<const Video> videos) = 0;
  virtual std::optional<Video> get(std::string_view id) = 0;

  // All of it or nothing, in one transaction: what became of the video; duplicate where there is none. Where the video,
  // its author or the post is forgotten only the notes are stored.
  virtual AddOutcome record(const ChangeSet& record) = 0;
  // The same for many, in one transaction and much faster; one answer each, in order.
  virtual std::vector<AddOutcome> record_all(std::span<const ChangeSet> records) = 0;
  virtual std::optional<Post> post(std::string_view site, std::string_view id) = 0;
  // Calls visit for each post, ordered by site and id, as each() does for videos.
  virtual void each_post(const std::function<void(const Post&)>& visit) = 0;
  // Posts of a site by outcome, ordered by outcome.
  virtual std::vector<std::pair<std::string, std::int64_t>> post_counts(std::string_view site) = 0;
  virtual std::optional<std::string> note(std::string_view name) = 0;

  // Calls visit for each video, ordered by id, as all of them were at the beginning; what visit throws ends it. The
  // callback must not call back into the catalog (Exception internal), and other threads wait for it.
  virtual void each(const Filter& filter, const std::function<void(const Video&)>& visit) = 0;
  virtual std::int64_t count(const Filter& filter) = 0;
  // Hashtags (normalised) with the number of videos that carry them, most frequent first, then by name.
  virtual std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() = 0;

  // Calls visit for each video in the order in which they were added, else as each() does.
  virtual void each_grouping(const std::function<void(const SplitGrouping&)>& visit) = 0;
  // Pairs of a video's id and its fingerprint, or its cluster. Ids that the catalog does not have are passed over, and
  // those without a fingerprint get no cluster.
  virtual void put_fingerprints(std::span<const std::pair<std::string, std::string>> fingerprints) = 0;
  virtual void put_clusters(std::span<const std::pair<std::string, std::string>> clusters) = 0;

  // Writes tombstones and deletes rows, in one transaction: of the video with all its posts; of the post with its video
  // and that one's posts; of all that the author made. From then on add() and record() answer `forgotten` for it, for
  // the same bytes, the same post and the same author. A tombstone is written where there is no row too. A tombstone is
  // a salted SHA-256. Throws invalid_argument for a value that cannot be one of its kind.
  virtual ForgetResult forget(Forgettable kind, std::string_view value) = 0;
  virtual bool is_forgotten(Forgettable kind, std::string_view value) = 0;
  virtual Tombstones tombstones() = 0;

  // All that the catalog holds as it was at one moment: videos and fingerprints in the order in which the videos were
  // added, posts by site and id, notes by name, tombstones. Else as each() does.
  virtual void each_row(const std::function<void(const Row&)>& visit) = 0;
  // Puts rows of each_row() back, in one transaction, times and all; says how many were stored. What is there stays as
  // it is, but for hashtags that a video lacks; what was forgotten here stays away. A fingerprint is stored where its
  // video is. Throws invalid_argument for a row that breaks a rule above, and for the salt of another catalog where
  // this one has forgotten with its own.
  virtual Counts restore(std::span<const Row> rows) = 0;

  // A text that changes with each forget(), until finish_forgetting() is called with it: what the rows spoke of (bytes,
  // features, reports) is still to be removed. Empty: nothing is.
  virtual std::string forgetting() = 0;
  virtual void finish_forgetting(std::string_view pending) = 0;
  // Makes sure that nothing deleted can be read from the database's files any more; a server's write-ahead log and
  // backups are its administrator's. Takes about a second for 100 MB.
  // Throws unavailable where another process that reads or writes keeps it from doing so.
  virtual void compact() = 0;
};

struct Options {
  double lock_wait = 10.0;  // seconds
};
template <class V>
void visit(V& v, Options& o) {
  v("lock_wait", o.lock_wait, "Longest wait in seconds for another process that is writing to the catalog");
}

// Throws for a location that open() would refuse before looking at it: invalid_argument for one that cannot be read or
// holds a password, unsupported for other schemes.
void check_location(const std::string& location);

// Opens, creating and migrating as needed. location: a file path, sqlite:///absolute/path (not percent-encoded), or
// postgresql://USER@HOST:PORT/DATABASE?..., whose password comes from PGPASSFILE, ~/.pgpass or PGPASSWORD, as libpq
// reads them. A catalog of a newer reeltag: unsupported. On PostgreSQL a connection that was lost is made anew by the
// next call.
std::unique_ptr<Catalog> open(const std::string& location, const Options& options = {});

}  // namespace reeltag::catalog

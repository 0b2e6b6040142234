// Catalog: the database of collected videos with their metadata, captions and typed hashtags.
// Thread-safe, and several processes may use one catalog at once. Every call is one transaction: after it returns the
// change survives a crash; if it throws nothing changed. Failures throw Exception: invalid_argument (a video that
// cannot be stored), unavailable (locked for too long, disk full, no server), corrupt, permission_denied, unsupported.
// The interface hides the database (SQLite, PostgreSQL); a Catalog owns its connection.
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

// Texts are UTF-8 without NUL, numbers are finite; a hashtag, source, group, author or post key has at most 1000 bytes.
struct Video {
  std::string id;         // 64 lower-case hex digits: the SHA-256 of the bytes
  std::string key;        // the key of the bytes in the store
  std::string source;     // "import", "tiktok", ...
  std::string source_id;  // the source's id for the video; may be empty
  std::string group;      // clips of one source video, camera or author: kept on one side of the split
  std::string author;     // salted hash or empty; never a name
  std::string caption;
  std::vector<std::string>
      hashtags;  // as typed, in order, without '#'; the first one is the class of single-label sets
  std::optional<std::int64_t> created;  // seconds since 1970, UTC, if the source reports it
  double duration = 0.0;                // seconds
  int width = 0, height = 0;            // pixels, upright
  double fps = 0.0;
  std::string codec;
  std::int64_t size_bytes = 0;
  std::string attributes = "{}";  // JSON object: other metadata from the source
  std::int64_t added = 0;         // seconds since 1970, UTC; set by add()

  bool operator==(const Video&) const = default;
};

// forgotten: a tombstone (Catalog::forget) exists; the video was not stored.
enum class AddOutcome { added, duplicate, forgotten };

// What a site says about one of its videos, whether or not its bytes are stored. `video` rows are videos with bytes; a
// post with an empty `video` is metadata-only (docs/adr/0032).
struct Post {
  std::string site, id;  // "tiktok" and the site's own id; together the key
  std::string source;    // the collection method: "research"
  std::string video;     // Video::id of its bytes; empty if there are none
  std::string outcome;   // the outcome of the last attempt, as named by the collector
  std::int64_t round = 0;
  std::string author;  // salted hash or empty; never a name
  std::string caption;
  std::vector<std::string> hashtags;
  std::optional<std::int64_t> created;
  std::string attributes = "{}";
  std::int64_t seen = 0;  // seconds since 1970, UTC; set by record()

  bool operator==(const Post&) const = default;
};

// A small named text that outlives a run: a cursor, a ledger.
struct Note {
  std::string name, body;

  bool operator==(const Note&) const = default;
};

// Changes that are stored together.
struct ChangeSet {
  std::optional<Video> video = {};              // added as by add()
  std::optional<Post> post = {};                // replaces the post with the same site and id
  std::vector<Note> notes = {};                 // each replaces the note with the same name
  std::optional<std::string> fingerprint = {};  // of the video, as in SplitGrouping; unset: not known
};

// The facts that decide which videos must stay on the same side of a split. `fingerprint` is the text of
// media::Fingerprint, empty for a video that has none (all frames are flat, or it cannot be decoded); unset: not
// computed.
struct SplitGrouping {
  std::string video, key, group, author;
  std::optional<std::string> fingerprint;
  std::string cluster;  // of videos that look alike; empty: no similar video, or not computed
  std::optional<std::int64_t> created;

  bool operator==(const SplitGrouping&) const = default;
};

// The kinds of things that can be forgotten. Values: Video::id; a post as "site:id"; an author's salted hash; for a
// download the content_id() of its post's id, which names it (forgetting a post includes its download).
enum class Forgettable { video, post, author, download };

// Videos and posts whose last row was deleted.
struct ForgetResult {
  std::vector<std::string> videos;  // ids
  std::vector<std::string> posts;   // "site:id"

  bool operator==(const ForgetResult&) const = default;
};

// All tombstones at one moment, for checking many items. A plain value.
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

// Fingerprint and cluster of a video, as in SplitGrouping.
struct FingerprintRow {
  std::string video, fingerprint, cluster;

  bool operator==(const FingerprintRow&) const = default;
};

// A tombstone as stored: its name can be checked only with the salt in the note kSaltNote.
struct Tombstone {
  std::string kind, name;
  std::int64_t made = 0;  // seconds since 1970, UTC

  bool operator==(const Tombstone&) const = default;
};
inline constexpr std::string_view kSaltNote = "forget/salt";

// A row of any kind, for moving a catalog.
using Row = std::variant<Video, FingerprintRow, Post, Note, Tombstone>;

struct Counts {
  std::int64_t videos = 0, fingerprints = 0, posts = 0, notes = 0, tombstones = 0;

  bool operator==(const Counts&) const = default;
};

struct Filter {
  std::optional<std::string> source;   // exact match
  std::optional<std::string> hashtag;  // any spelling: compared by hashtag::fold()
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Adds the video; if its id exists, keeps the row and appends the hashtags that it lacks. Forgotten videos are not
  // stored.
  // Throws invalid_argument, naming the field, for a video that breaks a rule above or has an empty hashtag.
  virtual AddOutcome add(const Video& video) = 0;
  // Adds many in one transaction, much faster; all or nothing. Returns one outcome per video, in order.
  virtual std::vector<AddOutcome> add_all(std::span<const Video> videos) = 0;
  virtual std::optional<Video> get(std::string_view id) = 0;

  // Stores all changes or none, in one transaction. Returns the video's outcome; duplicate if there is no video. If the
  // video, its author or the post is forgotten, stores only the notes.
  virtual AddOutcome record(const ChangeSet& record) = 0;
  // Records many in one transaction, much faster. Returns one outcome per change set, in order.
  virtual std::vector<AddOutcome> record_all(std::span<const ChangeSet> records) = 0;
  virtual std::optional<Post> post(std::string_view site, std::string_view id) = 0;
  // Calls visit for each post, ordered by site and id; rules as for each().
  virtual void each_post(const std::function<void(const Post&)>& visit) = 0;
  // Counts a site's posts by outcome, ordered by outcome.
  virtual std::vector<std::pair<std::string, std::int64_t>> post_counts(std::string_view site) = 0;
  virtual std::optional<std::string> note(std::string_view name) = 0;

  // Calls visit for each video, ordered by id, from one snapshot; an exception from visit ends it. The callback must
  // not call the catalog (Exception internal), and other threads wait meanwhile.
  virtual void each(const Filter& filter, const std::function<void(const Video&)>& visit) = 0;
  virtual std::int64_t count(const Filter& filter) = 0;
  // Counts the videos of each hashtag (normalized), most frequent first, then by name.
  virtual std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() = 0;

  // Calls visit for each video in the order of adding; rules as for each().
  virtual void each_grouping(const std::function<void(const SplitGrouping&)>& visit) = 0;
  // Stores pairs of a video's id and its fingerprint, or its cluster. Unknown ids are skipped, and videos without a
  // fingerprint get no cluster.
  virtual void put_fingerprints(std::span<const std::pair<std::string, std::string>> fingerprints) = 0;
  virtual void put_clusters(std::span<const std::pair<std::string, std::string>> clusters) = 0;

  // Writes tombstones and deletes rows, in one transaction: a video with all its posts; a post with its video and that
  // video's posts; everything by the author. From then on add() and record() return `forgotten` for the same bytes,
  // post or author. The tombstone is written even if there is no row. A tombstone is a salted SHA-256. Throws
  // invalid_argument for a value that is invalid for its kind.
  virtual ForgetResult forget(Forgettable kind, std::string_view value) = 0;
  virtual bool is_forgotten(Forgettable kind, std::string_view value) = 0;
  virtual Tombstones tombstones() = 0;

  // Visits all rows from one snapshot: videos and fingerprints in the order in which the videos were added, posts by
  // site and id, notes by name, tombstones. Rules as for each().
  virtual void each_row(const std::function<void(const Row&)>& visit) = 0;
  // Stores rows from each_row() unchanged, including their times, in one transaction; returns how many were stored.
  // Existing rows stay, except that a video gets hashtags that it lacks; what is forgotten here is not stored. A
  // fingerprint is stored only with its video. Throws invalid_argument for a row that breaks a rule above, and for the
  // salt of another catalog if this one has tombstones made with its own.
  virtual Counts restore(std::span<const Row> rows) = 0;

  // Returns a text that changes with each forget(): data derived from the deleted rows (bytes, features, reports) must
  // still be removed. After that call finish_forgetting() with it. Empty: nothing is pending.
  virtual std::string forgetting() = 0;
  virtual void finish_forgetting(std::string_view pending) = 0;
  // Makes deleted data unreadable in the database's files; a server's write-ahead log and backups are its
  // administrator's responsibility. Takes about a second per 100 MB. Throws unavailable if another process that reads
  // or writes prevents it.
  virtual void compact() = 0;
};

struct Options {
  double lock_wait = 10.0;  // seconds
};
template <class V>
void visit(V& v, Options& o) {
  v("lock_wait", o.lock_wait, "Longest wait in seconds for another process that is writing to the catalog");
}

// Throws for a location that open() would refuse without accessing it: invalid_argument if it cannot be parsed or
// contains a password, unsupported for other schemes.
void check_location(const std::string& location);

// Opens a catalog, creating and migrating it as needed. location: a file path, sqlite:///absolute/path (not
// percent-encoded), or postgresql://USER@HOST:PORT/DATABASE?..., with the password from PGPASSFILE, ~/.pgpass or
// PGPASSWORD, as read by libpq. A catalog of a newer reeltag: unsupported. On PostgreSQL the next call re-establishes a
// lost connection.
std::unique_ptr<Catalog> open(const std::string& location, const Options& options = {});

}  // namespace reeltag::catalog

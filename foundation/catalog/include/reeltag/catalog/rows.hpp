// The rows of the catalog: videos, posts, notes, fingerprints, tombstones. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

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
  std::int64_t added = 0;         // seconds since 1970, UTC; set by Videos::add()

  bool operator==(const Video&) const = default;
};

// The name of the file that was imported, kept among the attributes as "file"; empty if none is known.
inline constexpr const char* kFileAttribute = "file";
std::string file_name_of(const Video& video);

// forgotten: a tombstone (Tombstones::forget) exists; the video was not stored.
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
  std::int64_t seen = 0;  // seconds since 1970, UTC; set by Catalog::record()

  bool operator==(const Post&) const = default;
};

// A small named text that outlives a run: a cursor, a ledger.
struct Note {
  std::string name, body;

  bool operator==(const Note&) const = default;
};

// Changes that are stored together.
struct ChangeSet {
  std::optional<Video> video = {};              // added as by Videos::add()
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
class TombstoneSet {
 public:
  TombstoneSet() = default;
  TombstoneSet(std::string salt, std::unordered_set<std::string> names)
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

}  // namespace reeltag::catalog

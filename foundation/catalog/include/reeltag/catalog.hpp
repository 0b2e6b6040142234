// The memory of what was collected: videos with their facts, captions and typed hashtags.
// Thread-safe. Every call is one transaction: after it returns the change survives a crash; when it throws nothing
// changed. Failures of the database throw Exception (unavailable, corrupt, permission_denied).
// What lies underneath (SQLite today) does not show here.
//
//   auto catalog = catalog::open(home / "catalog.db");
//   if (catalog->add(video) == catalog::Added::duplicate) ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::catalog {

struct Video {
  std::string id;                     // 64 hex digits: the SHA-256 of the bytes
  std::string key;                    // where the bytes are in the store
  std::string source;                 // "import", "tiktok", ...
  std::string source_id;              // the source's own id for it; may be empty
  std::string group;                  // clips of one source video, camera or author: stay on one side of a split
  std::string author;                 // salted hash or empty; never a name
  std::string caption;
  std::vector<std::string> hashtags;  // as typed, in order, without '#'; the first one is the class of single-label sets
  std::optional<std::int64_t> created;  // seconds since 1970, UTC, when the source says so
  double duration = 0.0;              // seconds
  int width = 0, height = 0;          // pixels, upright
  double fps = 0.0;
  std::string codec;
  std::int64_t size_bytes = 0;
  std::string attributes = "{}";      // JSON object: what else the source said
  std::int64_t added = 0;             // seconds since 1970, UTC; set by add()
};

enum class Added { added, duplicate };

struct Filter {
  std::optional<std::string> source;
  std::optional<std::string> hashtag;
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Adds the video, or leaves the existing row with the same id as it is and adds hashtags that it lacks.
  virtual Added add(const Video& video) = 0;
  virtual std::optional<Video> get(std::string_view id) = 0;
  // Calls visit for each video, ordered by id; the callback must not call back into the catalog.
  virtual void each(const Filter& filter, const std::function<void(const Video&)>& visit) = 0;
  virtual std::int64_t count(const Filter& filter) = 0;
  // Typed hashtags with the number of videos that carry them, most frequent first, then by name.
  virtual std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() = 0;
};

// Opens, creating and migrating as needed. location: a file path (or sqlite:///path).
std::unique_ptr<Catalog> open(const std::string& location);

}  // namespace reeltag::catalog

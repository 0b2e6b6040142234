// Blob store. A key is a relative path of '/'-separated names ("videos/<sha256>.mp4"); a blob is written once (writing
// a key again replaces the whole blob; writing the same bytes again changes nothing). Thread-safe: many threads may use
// one Store, and several processes one location. A write becomes visible as a whole or not at all, and is durable when
// the call returns. Failures throw Exception with the key and the store's URL in the message: invalid_argument (a bad
// key), not_found, permission_denied, unavailable (disk full, no answer), unsupported. Requests to a busy or
// unreachable object store are retried for Options::retry_seconds.
//
// Keys are UTF-8, at most 900 bytes, each name at most 255; no control characters, empty names, "." or "..". A key must
// not be both a blob and a prefix of other keys ("a" and "a/b"); a local store refuses that.
//
//   auto store = store::open("file:///home/me/.reeltag/store");
//   store->put("videos/ab12.mp4", bytes);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::store {

struct Blob {
  std::string key;
  std::int64_t size_bytes = 0;
  std::int64_t modified = 0;  // seconds since 1970, by the store's clock
};

// A write that has begun and not completed: its writer may still run, or have died.
struct UnfinishedUpload {
  std::string name;        // a file, or the key of an upload
  std::string upload;      // the object store's upload id; empty for a file
  std::int64_t begun = 0;  // seconds since 1970
};

// Locally cached copies of blobs.
struct Copies {
  std::int64_t files = 0, bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void put(std::string_view key, std::string_view bytes) = 0;
  // Stores the bytes of a regular file without holding all of them in memory.
  virtual void put_file(std::string_view key, const std::filesystem::path& from) = 0;
  // The whole blob; nullopt if there is none (not an error).
  virtual std::optional<std::string> get(std::string_view key) = 0;
  // Reads length bytes from offset; fewer at the end of the blob. Throws not_found.
  virtual std::string get_range(std::string_view key, std::int64_t offset, std::int64_t length) = 0;
  virtual std::optional<Blob> stat(std::string_view key) = 0;
  // All blobs whose key starts with prefix, sorted by the key's bytes. Partly written blobs never appear. A prefix may
  // end within a name; up to its last '/' it follows the rules of keys.
  virtual std::vector<Blob> list(std::string_view prefix) = 0;
  // True if the blob existed.
  virtual bool remove(std::string_view key) = 0;
  // A path with the blob's bytes: the file itself for a local store, else a copy in the cache. Open it at once: if the
  // cache is full, a copy may be removed a minute after its last request; open files stay readable. Throws not_found.
  virtual std::filesystem::path local_path(std::string_view key) = 0;

  // Cleanup, for stores that need it: unfinished() lists incomplete writes, oldest first; discard() ends one (false if
  // its writer is known to be alive, or it no longer exists); drop_copies() removes local copies unused for that long,
  // or only counts them in a dry run.
  virtual std::vector<UnfinishedUpload> unfinished() { return {}; }
  virtual bool discard(const UnfinishedUpload& /*write*/) { return false; }
  virtual Copies drop_copies(std::chrono::seconds /*unused_for*/, bool /*dry_run*/) { return {}; }

  // The location, as open() accepts it.
  [[nodiscard]] virtual std::string url() const = 0;
};

struct Options {
  std::string url;              // as open() accepts it
  std::filesystem::path cache;  // folder for copies of an object store's blobs; empty: a temporary one
  std::int64_t cache_bytes = 20LL << 30;
  double connect_timeout = 5.0, timeout = 60.0, retry_seconds = 60.0;
};
template <class V>
void visit(V& v, Options& o) {
  v("url", o.url, "Where videos are kept: a folder or s3://bucket/prefix; empty for HOME/store");
  v("cache", o.cache, "Folder for copies of an object store's blobs; empty for HOME/cache/store");
  v("cache_bytes", o.cache_bytes, "Most bytes of these copies", config::Range{0, 1e15});
  v("connect_timeout", o.connect_timeout, "Longest time in seconds to connect to an object store",
    config::Range{0.1, 3600});
  v("timeout", o.timeout, "Seconds without a byte after which a request to an object store is given up",
    config::Range{1, 3600});
  v("retry_seconds", o.retry_seconds, "Seconds for which a failing request to an object store is tried again",
    config::Range{0, 86400});
}

// Opens a folder, created if missing: "file:///abs/path" (percent-encoded) or a plain path (taken literally). It must
// lie on one file system. Or an object store: "s3://bucket/prefix?region=..&endpoint_override=host:port&scheme=http",
// whose bucket must exist; credentials come from the platform's usual chain (AWS_ACCESS_KEY_ID, profiles, roles) and
// never from the URL. Other schemes: unsupported.
std::unique_ptr<Store> open(const Options& options);
std::unique_ptr<Store> open(const std::string& url);

// local_path() of one blob among many: a missing blob is this one's failure (not_found), to be counted like a video
// that cannot be decoded. Throws when the store itself fails.
Result<std::filesystem::path> find_local(Store& store, std::string_view key);

// Throws as open() would for the URL alone, without accessing the location.
void check_url(const std::string& url);

// Whether text starts like the URL of an object store.
bool is_object_store(std::string_view text);

// Whether stores accept it as a key.
bool is_key(std::string_view text);

// The store one level above an object store's URL, and the last name of its prefix: "s3://b/a/x.mp4?o" gives
// "s3://b/a?o" and "x.mp4". nullopt if the prefix is empty. Throws as check_url().
struct Parent {
  std::string url, name;
};
std::optional<Parent> parent_of(const std::string& url);

// Stops the threads of the object store's client; call it before main returns and after the last Store is destroyed.
// The process cannot open an object store afterwards. Does nothing if none was opened.
void shut_down();

}  // namespace reeltag::store

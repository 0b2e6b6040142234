// Blobs by key. A key is a relative path of '/'-separated names ("videos/<sha256>.mp4"); a blob is bytes that are
// written once (writing a key again replaces the whole blob; the same bytes again change nothing).
// Thread-safe: one Store may be used from many threads, and several processes may use one place. A write is visible
// whole or not at all, and is durable when the call returns. Failures throw Exception with the key and the store's URL
// in the message: invalid_argument (a bad key), not_found, permission_denied, unavailable (disk full, no answer),
// unsupported. An object store that is busy or cut off is asked again until Options::retry_seconds are over.
//
// Keys are UTF-8, at most 900 bytes, each name at most 255; no control characters, no empty name, no "." and "..". A
// key is not both a blob and the beginning of other keys ("a" and "a/b"); a local store refuses that.
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

// A write that has begun and is not over: its writer may live, or be dead.
struct UnfinishedUpload {
  std::string name;        // a file, or the key of an upload
  std::string upload;      // what an object store calls it; empty for a file
  std::int64_t begun = 0;  // seconds since 1970
};

// Copies of blobs that were kept on this machine.
struct Copies {
  std::int64_t files = 0, bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void put(std::string_view key, std::string_view bytes) = 0;
  // The bytes of a regular file, copied without holding all of them in memory.
  virtual void put_file(std::string_view key, const std::filesystem::path& from) = 0;
  // The whole blob; nothing where there is none (not an error).
  virtual std::optional<std::string> get(std::string_view key) = 0;
  // length bytes from offset; shorter at the end of the blob. Throws not_found.
  virtual std::string get_range(std::string_view key, std::int64_t offset, std::int64_t length) = 0;
  virtual std::optional<Blob> stat(std::string_view key) = 0;
  // All blobs whose key starts with prefix, sorted by the key's bytes. Half-written blobs never appear. A prefix may
  // end in the middle of a name; up to its last '/' it follows the rules of keys.
  virtual std::vector<Blob> list(std::string_view prefix) = 0;
  // True when there was a blob.
  virtual bool remove(std::string_view key) = 0;
  // A path with the blob's bytes: the file itself for a local store, else a copy in the cache. Open it at once: a copy
  // may go a minute after it was last asked for, when the cache is full; what is open stays readable. Throws not_found.
  virtual std::filesystem::path local_path(std::string_view key) = 0;

  // What is left to clear up, where a store can have such: writes that are not over, oldest first; ending one (false
  // where its writer is known to live, or it is gone); copies on this machine that nobody asked for so long, which are
  // removed unless it is dry.
  virtual std::vector<UnfinishedUpload> unfinished() { return {}; }
  virtual bool discard(const UnfinishedUpload& /*write*/) { return false; }
  virtual Copies drop_copies(std::chrono::seconds /*unused_for*/, bool /*dry_run*/) { return {}; }

  // The place, as open() takes it.
  [[nodiscard]] virtual std::string url() const = 0;
};

struct Options {
  std::string url;              // as open() takes it
  std::filesystem::path cache;  // folder of the copies of an object store's blobs; empty: a temporary one
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

// A folder, created when missing: "file:///abs/path" (percent-encoded) or a plain path (taken as it is). It must lie on
// one file system. Or an object store: "s3://bucket/prefix?region=..&endpoint_override=host:port&scheme=http", whose
// bucket must exist; credentials come from the platform's usual chain (AWS_ACCESS_KEY_ID, profiles, roles) and never
// from the URL. Other schemes: unsupported.
std::unique_ptr<Store> open(const Options& options);
std::unique_ptr<Store> open(const std::string& url);

// Throws as open() would for the URL alone, without looking at the place.
void check_url(const std::string& url);

// Whether text is the URL of an object store, by its beginning.
bool is_object_store(std::string_view text);

// Whether a store accepts it as a key.
bool is_key(std::string_view text);

// The store one level above an object store's URL, and the last name of its prefix: "s3://b/a/x.mp4?o" is "s3://b/a?o"
// and "x.mp4". Nothing where the prefix is empty. Throws as check_url().
struct Parent {
  std::string url, name;
};
std::optional<Parent> parent_of(const std::string& url);

// Before main returns and after the last Store is gone: ends the threads of the object store's client. A process cannot
// open one again. Costs nothing where none was opened.
void shut_down();

}  // namespace reeltag::store

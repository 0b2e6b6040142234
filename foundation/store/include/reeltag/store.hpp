// Blobs by key. A key is a relative path of '/'-separated names ("videos/<sha256>.mp4"); a blob is bytes that are
// written once (writing a key again replaces the whole blob; the same bytes again change nothing).
// Thread-safe: one Store may be used from many threads, and several processes may use one place. A write is visible
// whole or not at all, and is durable when the call returns. Failures throw Exception with the key or URL in the
// message: invalid_argument (a bad key), not_found, permission_denied, unavailable (disk full, no answer), unsupported.
//
// Keys are UTF-8, at most 900 bytes, each name at most 255; no control characters, no empty name, no "." and "..". A
// key is not both a blob and the beginning of other keys ("a" and "a/b"); a local store refuses that.
//
//   auto store = store::open("file:///home/me/.reeltag/store");
//   store->put("videos/ab12.mp4", bytes);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::store {

struct Blob {
  std::string key;
  std::int64_t size_bytes = 0;
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
  // A path with the blob's bytes that stays valid while the store is open: the file itself for a local store, a cached
  // copy otherwise. Throws not_found.
  virtual std::filesystem::path local_path(std::string_view key) = 0;
  // The place, as open() takes it.
  [[nodiscard]] virtual std::string url() const = 0;
};

// A folder, created when missing: "file:///abs/path" (percent-encoded) or a plain path (taken as it is). It must lie on
// one file system. Other schemes: unsupported for now.
std::unique_ptr<Store> open(const std::string& url);

}  // namespace reeltag::store

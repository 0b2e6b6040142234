// Fetches videos that an untrusted party names or sends, as open files: downloads, S3 objects and standard input. Each
// is written to an unnamed file in the given folder, which is deleted when its descriptor closes.
// fetch_url(), ObjectFetcher: any thread; read_standard_input(): one thread. The caller owns the descriptor. Failures
// are returned as Result, naming the URL; read_standard_input() throws interrupted if the process was asked to stop.
//
//   auto file = ingest::fetch_url({.folder = home, .http = config.http, .max_bytes = config.media.max_bytes}, url);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/http.hpp"
#include "reeltag/store.hpp"

namespace reeltag::ingest {

struct FetchOptions {
  std::filesystem::path folder;  // created if missing
  http::ClientOptions http = {};
  store::Options objects = {};  // of the configured store; the options after '?' in its URL apply to s3:// too
  std::int64_t max_bytes = 0;   // of an object or of standard input
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Result<Descriptor> fetch_url(const FetchOptions& options, const std::string& url, Deadline deadline = {});
Result<Descriptor> read_standard_input(const FetchOptions& options);

// Fetches objects that a request names, s3://bucket/key with the key taken literally. Region and credentials come from
// the platform; the options of the configured store apply too, if that is an object store. A request cannot set
// options.
class ObjectFetcher {
 public:
  explicit ObjectFetcher(FetchOptions options) : options_(std::move(options)) {}
  Result<Descriptor> fetch(const std::string& uri, std::chrono::steady_clock::time_point deadline);

 private:
  std::shared_ptr<store::Store> bucket(const std::string& name);

  const FetchOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<store::Store>> buckets_;  // opened buckets by name
};

}  // namespace reeltag::ingest

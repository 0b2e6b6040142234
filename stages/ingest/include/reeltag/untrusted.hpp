// Videos that somebody else names or sends, as open files: downloads, objects of S3 and standard input. Each is kept in
// a file without a name in a folder of ours, which is gone with its descriptor. fetch_url(), ObjectFetcher: any thread;
// read_standard_input(): one. Failure: Result, naming the URL; read_standard_input() throws interrupted where the
// process was asked to stop.
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
  std::filesystem::path folder;  // made where it is missing
  http::ClientOptions http = {};
  store::Options objects = {};  // of the configured store; what its URL says behind '?' holds for s3:// too
  std::int64_t max_bytes = 0;   // of an object or of standard input
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Result<Descriptor> fetch_url(const FetchOptions& options, const std::string& url, Deadline deadline = {});
Result<Descriptor> read_standard_input(const FetchOptions& options);

// Objects that a request names, s3://bucket/key with the key as it is. Region and credentials are the platform's; the
// options of the configured store hold for them too, where that is an object store. A request cannot bring options.
class ObjectFetcher {
 public:
  explicit ObjectFetcher(FetchOptions options) : options_(std::move(options)) {}
  Result<Descriptor> fetch(const std::string& uri, std::chrono::steady_clock::time_point deadline);

 private:
  std::shared_ptr<store::Store> bucket(const std::string& name);

  const FetchOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<store::Store>> buckets_;  // that were asked for
};

}  // namespace reeltag::ingest

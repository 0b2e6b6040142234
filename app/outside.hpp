// Videos from outside as open files: downloads, objects and standard input, kept in a file without a name below the
// home that is gone with its descriptor. fetch(), Objects: any thread; read_standard_input(): one.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "context.hpp"
#include "reeltag/base/descriptor.hpp"

namespace reeltag::app {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Result<Descriptor> fetch(const Context& context, const std::string& url, Deadline deadline = {});
Result<Descriptor> read_standard_input(const Context& context);

// Objects that a request names, s3://bucket/key with the key as it is. Region and credentials are the platform's; the
// options of store.url hold for them too, where that is an object store. A request cannot bring options of its own.
class Objects {
 public:
  explicit Objects(const Context& context) : context_(context) {}
  Result<Descriptor> fetch(const std::string& uri, std::chrono::steady_clock::time_point deadline);

 private:
  std::shared_ptr<store::Store> bucket(const std::string& name);

  const Context& context_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<store::Store>> buckets_;  // that were asked for
};

}  // namespace reeltag::app

// The operations for which Arrow's file systems do not give the guarantees of a Store; one implementation per kind of
// file system. Paths are those of the Arrow file system (root and key). Private to the store. Failures: as Store.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <arrow/io/interfaces.h>

#include "reeltag/store.hpp"

namespace reeltag::store {

// Thread-safe. doing: the start of an error message ("writing blob 'k'").
class Backend {
 public:
  using Fill = std::function<void(arrow::io::OutputStream&)>;

  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // Makes the bytes that fill writes visible at path, complete and durable on return. If fill throws, nothing becomes
  // visible and the exception propagates. An object store does so by closing the stream, or aborting it on an
  // exception.
  virtual void publish(const std::string& path, const Fill& fill, const std::string& doing) = 0;

  // True if there was a file at path.
  virtual bool remove(const std::string& path, const std::string& doing) = 0;

  // A local file with the bytes of the blob at path; nullopt if there is none.
  virtual std::optional<std::filesystem::path> local_path(const std::string& path, const std::string& doing) = 0;

  // As in Store.
  virtual std::vector<UnfinishedUpload> unfinished() = 0;
  virtual bool discard(const UnfinishedUpload& write) = 0;
  virtual Copies drop_copies(std::chrono::seconds unused_for, bool dry_run) = 0;
};

}  // namespace reeltag::store

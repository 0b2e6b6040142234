// The seam between ArrowStore and one kind of file system: the few operations that Arrow does not give the meaning
// that a Store promises. Paths are those of the Arrow file system (root and key). Private to the store.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <arrow/io/interfaces.h>

#include "reeltag/store.hpp"

namespace reeltag::store {

// Thread-safe. doing is the beginning of an error message ("writing blob 'k'").
class Backend {
 public:
  using Fill = std::function<void(arrow::io::OutputStream&)>;

  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // Makes what fill writes visible at path, whole and durable on return. When fill throws nothing becomes visible and
  // its exception passes through. An object store has this by closing the stream, and by aborting it on a throw.
  virtual void publish(const std::string& path, const Fill& fill, const std::string& doing) = 0;

  // True when there was a file at path.
  virtual bool remove(const std::string& path, const std::string& doing) = 0;

  // A local file with the bytes of the blob at path; nothing where there is none.
  virtual std::optional<std::filesystem::path> local_path(const std::string& path, const std::string& doing) = 0;

  // As Store has them.
  virtual std::vector<UnfinishedUpload> unfinished() = 0;
  virtual bool discard(const UnfinishedUpload& write) = 0;
  virtual Copies drop_copies(std::chrono::seconds unused_for, bool dry_run) = 0;
};

}  // namespace reeltag::store

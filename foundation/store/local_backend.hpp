// Atomic, durable writes to a local folder. Private to the store. Threads and failures: as Backend.
#pragma once

#include <filesystem>
#include <string>

#include "backend.hpp"

namespace reeltag::store {

// Writes a blob to root/.reeltag-tmp/, syncs it, renames it to its final path and syncs that folder. With one folder
// for all partly written blobs, cleanup after a crash is one short listing, however many blobs there are; the store
// must lie on one file system. The writer holds a lock (flock) on its temporary file; a file without a lock holder is
// a leftover.
class LocalBackend final : public Backend {
 public:
  // root must exist. Removes the temporary files of dead writers.
  explicit LocalBackend(const std::filesystem::path& root);

  void publish(const std::string& path, const Fill& fill, const std::string& doing) override;
  bool remove(const std::string& path, const std::string& doing) override;
  std::optional<std::filesystem::path> local_path(const std::string& path, const std::string& doing) override;
  std::vector<UnfinishedUpload> unfinished() override;
  bool discard(const UnfinishedUpload& write) override;
  Copies drop_copies(std::chrono::seconds unused_for, bool dry_run) override;

 private:
  std::filesystem::path temporaries_;
};

}  // namespace reeltag::store

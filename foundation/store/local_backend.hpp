// Atomic, durable writes to a local folder. Private to the store.
#pragma once

#include <filesystem>
#include <string>

#include "backend.hpp"

namespace reeltag::store {

// A blob is written to root/.reeltag-tmp/, synced, renamed to its place, and its folder is synced. One folder for all
// half-written blobs makes clearing up after a crash one short listing, however many blobs there are; it asks that the
// store is on one file system. The writer holds a lock (flock) on its temporary file, so that a file is known to be
// left over when nobody holds its lock.
class LocalBackend final : public Backend {
 public:
  // root must exist. Removes what writers that died have left behind.
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

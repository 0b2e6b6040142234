// Blobs in an S3-compatible object store. Private to the store. Threads and failures: as Backend.
#pragma once

#include <arrow/filesystem/s3fs.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.hpp"
#include "copies.hpp"
#include "reeltag/base/file.hpp"
#include "s3_requests.hpp"
#include "s3_url.hpp"

namespace reeltag::store {

// A blob becomes visible when its upload completes. A failed upload is aborted if the server can still be reached;
// otherwise it stays on the server, invisible, until it is discarded.
class S3Backend final : public Backend {
 public:
  S3Backend(std::shared_ptr<arrow::fs::S3FileSystem> files, const S3Place& place, const Options& options);

  void publish(const std::string& path, const Fill& fill, const std::string& doing) override;
  bool remove(const std::string& path, const std::string& doing) override;
  std::optional<std::filesystem::path> local_path(const std::string& path, const std::string& doing) override;
  std::vector<UnfinishedUpload> unfinished() override;
  bool discard(const UnfinishedUpload& write) override;
  Copies drop_copies(std::chrono::seconds unused_for, bool dry_run) override;

 private:
  std::shared_ptr<arrow::fs::S3FileSystem> files_;
  S3Requests requests_;
  std::optional<TemporaryFolder> own_cache_;  // used if no folder was given
  CopyFolder copies_;
};

std::unique_ptr<Store> open_s3(const Options& options);

}  // namespace reeltag::store

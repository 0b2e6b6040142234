// Blobs in an object store that speaks S3. Private to the store.
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

// A blob becomes visible when its upload is completed. An upload that is broken off is aborted where the server can
// still be told; otherwise it stays with the server, unseen, until it is discarded.
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
  std::optional<TemporaryFolder> own_cache_;  // where no folder was given
  CopyFolder copies_;
};

std::unique_ptr<Store> open_s3(const Options& options);

}  // namespace reeltag::store

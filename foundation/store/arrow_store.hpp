// Implements Store on any Arrow file system. Private to the store; store::open() makes one. Threads and failures: as
// Store.
#pragma once

#include <memory>
#include <string>

#include <arrow/filesystem/filesystem.h>

#include "backend.hpp"
#include "reeltag/store.hpp"

namespace reeltag::store {

class ArrowStore final : public Store {
 public:
  // root: the store's path in files, not empty, without a trailing '/'. url: the value that url() returns.
  ArrowStore(std::shared_ptr<arrow::fs::FileSystem> files, std::string root, std::string url,
             std::unique_ptr<Backend> backend);

  void put(std::string_view key, std::string_view bytes) override;
  void put_file(std::string_view key, const std::filesystem::path& from) override;
  std::optional<std::string> get(std::string_view key) override;
  std::string get_range(std::string_view key, std::int64_t offset, std::int64_t length) override;
  std::optional<Blob> stat(std::string_view key) override;
  std::vector<Blob> list(std::string_view prefix) override;
  bool remove(std::string_view key) override;
  std::filesystem::path local_path(std::string_view key) override;
  std::vector<UnfinishedUpload> unfinished() override { return backend_->unfinished(); }
  bool discard(const UnfinishedUpload& write) override { return backend_->discard(write); }
  Copies drop_copies(std::chrono::seconds unused_for, bool dry_run) override {
    return backend_->drop_copies(unused_for, dry_run);
  }
  [[nodiscard]] std::string url() const override { return url_; }

 private:
  [[nodiscard]] std::string about(std::string_view verb, std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  // The open blob, or null if there is none.
  std::shared_ptr<arrow::io::RandomAccessFile> open_blob(std::string_view key, const std::string& doing);

  std::shared_ptr<arrow::fs::FileSystem> files_;
  std::string root_;
  std::string url_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace reeltag::store

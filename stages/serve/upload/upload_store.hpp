// The uploads of a folder: finds, creates and removes them, and limits their number and the disk space. Knows no
// protocol and calls nobody back. Thread-safe. Shares ownership of its files with running requests. Failure: Result
// worded for the client, permission_denied (the owner has max_open unfinished uploads) and unavailable (no room); disk
// errors are Exceptions as in upload_file.hpp.
//
//   UploadStore store(folder, options);
//   const auto file = store.create({.owner = "me", .length = 5}, 5);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/upload_options.hpp"
#include "upload_file.hpp"

namespace reeltag::serve {

class UploadStore {
 public:
  using Files = std::vector<std::shared_ptr<UploadFile>>;
  struct Expired {
    std::int64_t unfinished = 0;  // removed
    Files with_job = {};          // complete; kept because their job may still need the bytes
  };

  UploadStore(const std::filesystem::path& folder, const UploadOptions& options);

  [[nodiscard]] const UploadOptions& options() const { return options_; }
  // Null if there is none.
  [[nodiscard]] std::shared_ptr<UploadFile> find(std::string_view id) const;
  [[nodiscard]] Files all() const;
  // The resumable upload that this owner created with this key; null if there is none.
  [[nodiscard]] std::shared_ptr<UploadFile> find_request(std::string_view owner, std::string_view request_key) const;
  // Creates an upload of `bytes` expected bytes (0: unknown) and sets created and expires.
  Result<std::shared_ptr<UploadFile>> create(UploadRecord record, std::int64_t bytes);
  // Fails with unavailable if `bytes` more would leave less free than min_free_bytes.
  [[nodiscard]] Result<void> check_room(std::int64_t bytes) const;

  // Removes it from the disk and from this object. Throws nothing.
  void forget(const std::shared_ptr<UploadFile>& file);
  // The client cancels it: removes it, or marks it as terminated if a job uses its bytes.
  void cancel(const std::shared_ptr<UploadFile>& file);
  // The job has ended: removes the bytes, and unless the client may still ask for the upload, the record.
  void remove(const std::string& id);
  // Removes what is over keep_hours and neither written nor the input of a job.
  Expired expire();

 private:
  void load();
  [[nodiscard]] int open_of(const std::string& owner) const;

  const std::filesystem::path folder_;
  const UploadOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<UploadFile>, std::less<>> files_;
  std::map<std::string, int> creating_;  // by owner, not in files_ yet
};

}  // namespace reeltag::serve

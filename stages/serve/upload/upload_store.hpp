// Manages the uploads of a folder: finds, creates, passes on to jobs, removes. Thread-safe. Shares ownership of its
// files with running requests.
// Failure: errors for the client are Responses; disk errors are Exceptions as in upload_file.hpp.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reeltag/upload.hpp"
#include "upload_file.hpp"

namespace reeltag::serve {

// The client's response for an error of append(): 423, 413, 507, 404.
http::server::Response refusal_of(const Error& error);

class UploadStore {
 public:
  UploadStore(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished);

  [[nodiscard]] const UploadOptions& options() const { return options_; }
  // Null if there is none.
  [[nodiscard]] std::shared_ptr<UploadFile> find(std::string_view id) const;
  // Creates an upload of `bytes` expected bytes (0: unknown) and sets created and expires; or returns 429, 507.
  std::variant<http::server::Response, std::shared_ptr<UploadFile>> create(UploadRecord record, std::int64_t bytes);
  // 507 if `bytes` more would leave less free than min_free_bytes.
  [[nodiscard]] std::optional<http::server::Response> refuse_without_room(std::int64_t bytes) const;
  // The job of a complete upload, created if there is none. Fails with unavailable, worded for the client.
  Result<std::string> job_of(UploadFile& file);
  // Removes it from the disk and from this object. Throws nothing.
  void forget(const std::shared_ptr<UploadFile>& file);

  void recover();
  [[nodiscard]] std::optional<CompletedUpload> upload(const std::string& id) const;
  void remove(const std::string& id);
  std::int64_t expire(const std::function<bool(const std::string& job)>& has_ended);

 private:
  void load();
  [[nodiscard]] std::vector<std::shared_ptr<UploadFile>> all() const;
  [[nodiscard]] int open_of(const std::string& owner) const;

  const std::filesystem::path folder_;
  const UploadOptions options_;
  const StoreLimits limits_;
  const OnFinished on_finished_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<UploadFile>, std::less<>> files_;
  std::map<std::string, int> creating_;  // by owner, not in files_ yet
};

}  // namespace reeltag::serve

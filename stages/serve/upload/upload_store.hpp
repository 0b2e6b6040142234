// All uploads of a folder: finding, making, passing on, removing. Thread-safe.
// Failure: what a client should read is a Response; the disk's failures are Exception as in upload_file.hpp.
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

// append()'s errors for the client: 423, 413, 507, 404.
http::server::Response refusal_of(const Error& error);

class UploadStore {
 public:
  UploadStore(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished);

  [[nodiscard]] const UploadOptions& options() const { return options_; }
  // Null where there is none.
  [[nodiscard]] std::shared_ptr<UploadFile> find(std::string_view id) const;
  // A new one that is to have `bytes` (0: unknown), with created and expires set here; or 429, 507.
  std::variant<http::server::Response, std::shared_ptr<UploadFile>> create(UploadRecord record, std::int64_t bytes);
  // 507 where so many more bytes would leave too little of the disk.
  [[nodiscard]] std::optional<http::server::Response> refuse_without_room(std::int64_t bytes) const;
  // The job of a whole one, made where there is none yet. unavailable, worded for the client, where that fails.
  Result<std::string> job_of(UploadFile& file);
  // From the disk and from here. Throws nothing.
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
  std::map<std::string, int> creating_;  // by owner, not in stored_ yet
};

}  // namespace reeltag::serve

// One upload on the disk: a folder with its bytes (data) and its record (upload.json), and the claim of the current
// writer. Knows no protocol and calls nobody back. Thread-safe. Owns the folder; after the removal from the disk the
// object remains and answers not_found.
// Failure: Exception(unavailable, permission_denied) on disk errors; append() returns a Result worded for the client:
// already_exists (another request has taken over), too_large, unavailable (no room), not_found.
//
//   if (const auto claim = file->claim(2000ms, false)) {
//     file->append(claim->writer, bytes);
//     file->commit(claim->writer);                       // durable from here on
//   }
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/upload_options.hpp"
#include "upload_record.hpp"

namespace reeltag::serve {

// Fails with unavailable, worded for the client, if `bytes` more would leave less than min_free_bytes on the folder's
// file system.
Result<void> check_free_bytes(const std::filesystem::path& folder, std::int64_t bytes, std::int64_t min_free_bytes);

class UploadFile {
 public:
  using Writer = std::uint64_t;  // 0: none
  struct Claim {
    Writer writer = 0;
    std::int64_t offset = 0;
    UploadRecord record = {};
  };
  struct Facts {
    UploadRecord record = {};
    std::int64_t offset = 0;  // bytes that survive a power cut
    bool is_written = false;  // a writer is active: more may come, and a failed part may still be discarded
    bool is_whole = false;    // all bytes are there and no writer can discard them

    // The length is unknown or more than the bytes that are there, which a writer may still discard.
    [[nodiscard]] bool is_unfinished() const { return record.length != offset; }
  };

  // A writer that has sent no byte for this long is considered to have lost its client.
  static constexpr std::chrono::milliseconds kSilence{1000};

  // Durable; appears completely or not at all.
  static std::shared_ptr<UploadFile> create(const std::filesystem::path& uploads, const std::string& id,
                                            UploadRecord record, const UploadOptions& options);
  // Loads an upload left by an earlier process. Fails with corrupt, not_found and the codes of read_file.
  static Result<std::shared_ptr<UploadFile>> load(const std::filesystem::path& folder, const UploadOptions& options);

  // Claims the right to append, also from a silent writer; none if the other still writes after `timeout`. checked: a
  // checksum follows at the end, and until commit() none of the bytes count, also after a kill.
  std::optional<Claim> claim(std::chrono::milliseconds timeout, bool checked);
  Result<void> append(Writer writer, std::string_view part);
  // Makes the bytes durable and releases the claim. False if another writer has taken over.
  bool commit(Writer writer);
  // Releases the claim: a plain writer's bytes stay, a checked one's are removed. Throws nothing.
  void abandon(Writer writer);
  // Releases the claim and removes this writer's bytes.
  void discard(Writer writer);

  // Ends a silent writer as claim() does; returns the facts in any case.
  Facts settle(std::chrono::milliseconds timeout);
  [[nodiscard]] Facts facts();
  // Does not wait for the disk.
  [[nodiscard]] Facts glance() const;

  // Each changes the record durably; without effect after the removal from the disk.
  void set_length(std::int64_t bytes);
  void set_description(std::string name, std::string content_type, std::map<std::string, std::string> metadata);
  void set_request_digest(std::string digest);
  void set_job(std::string job);
  void set_terminated();
  // Held while the caller creates the job, so that concurrent requests create one: they wait, then see it in glance().
  [[nodiscard]] std::unique_lock<std::mutex> lock_job() { return std::unique_lock(job_mutex_); }

  void drop_bytes();  // removes the bytes; the record stays without the client's own data
  void destroy();     // removes everything

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::filesystem::path data() const { return folder_ / "data"; }

 private:
  UploadFile(std::filesystem::path folder, UploadRecord record, const UploadOptions& options);
  std::unique_lock<std::mutex> lock_when_free(std::chrono::milliseconds timeout);
  // The following require mutex_ to be held.
  [[nodiscard]] Facts current() const;
  void end_writer();
  void see_whether_whole();
  void flush();
  void cut_to(std::int64_t offset);
  void set_verified(std::optional<std::int64_t> offset);
  void replace_record(UploadRecord changed);
  int opened();

  const std::filesystem::path folder_;
  const std::string id_;
  const UploadOptions options_;
  std::mutex job_mutex_;  // locked before mutex_
  mutable std::mutex mutex_;
  UploadRecord record_;
  Descriptor data_;            // open while there is a writer, or bytes to flush
  std::int64_t offset_ = 0;    // bytes in the file
  std::int64_t flushed_ = -1;  // of them flushed; -1: unknown
  Writer writer_ = 0, last_writer_ = 0;
  std::int64_t began_ = 0;  // offset_ at the claim
  std::chrono::steady_clock::time_point heard_;
  bool whole_ = false;  // never reset
  bool gone_ = false;
};

}  // namespace reeltag::serve

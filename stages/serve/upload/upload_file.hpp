// One upload on the disk: a folder with its bytes (data) and its record (upload.json), and who may append at the
// moment. Thread-safe. Owns the folder; an UploadFile outlives its removal from the disk and then answers not_found.
// Failure: Exception(unavailable, permission_denied) where the disk fails; append() gives a Result because it is worded
// for the client: already_exists (another request has taken over), too_large, unavailable (no room), not_found.
//
//   if (const auto claim = file->claim(2000ms, false)) {
//     file->append(claim->writer, bytes);
//     file->commit(claim->writer);                       // durable from here on
//   }
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "reeltag/base/descriptor.hpp"
#include "upload_record.hpp"

namespace reeltag::serve {

struct StoreLimits {
  std::int64_t max_bytes = 0;
  std::int64_t min_free_bytes = 0;
};

// Bytes that this user may still write in the folder's file system; 0 where it cannot be asked.
std::int64_t free_bytes(const std::filesystem::path& folder);

class UploadFile {
 public:
  using Writer = std::uint64_t;  // 0: nobody
  struct Claim {
    Writer writer = 0;
    std::int64_t offset = 0;
    UploadRecord record = {};
  };
  struct Facts {
    UploadRecord record = {};
    std::int64_t offset = 0;  // that many bytes survive a power cut
    bool is_written = false;  // a writer is at work: more may come, and a wrong part may still be discarded
    bool is_whole = false;    // its bytes are all there and no writer may take them back
  };

  // A writer that has not given a byte for this long has lost its client, or might as well have.
  static constexpr std::chrono::milliseconds kSilence{1000};

  // Durable, and there as a whole or not at all.
  static std::shared_ptr<UploadFile> create(const std::filesystem::path& uploads, const std::string& id,
                                            UploadRecord record, const StoreLimits& limits);
  // What a kill has left. Fails with corrupt, not_found and the codes of read_file.
  static Result<std::shared_ptr<UploadFile>> load(const std::filesystem::path& folder, const StoreLimits& limits);

  // The right to append, taken from a writer that is silent; none where it still writes after `patience`.
  // checked: a checksum will come at the end, and until commit() none of the bytes count, after a kill neither.
  std::optional<Claim> claim(std::chrono::milliseconds patience, bool checked);
  Result<void> append(Writer writer, std::string_view part);
  // The bytes are on the disk, and the right is given back. False where another has taken over.
  bool commit(Writer writer);
  // Gives the right back: a plain writer's bytes stay, a checked one's go. Throws nothing.
  void abandon(Writer writer);
  // Gives the right back, with nothing of it kept.
  void discard(Writer writer);

  // Ends a silent writer, as claim() does, but does not insist.
  Facts settle(std::chrono::milliseconds patience);
  [[nodiscard]] Facts facts();
  // Without waiting for the disk.
  [[nodiscard]] Facts glance() const;
  // Changes the record for good.
  void change(const std::function<void(UploadRecord&)>& edit);
  // At most one at a time makes the job; later ones are given it.
  std::string job(const std::function<std::string()>& make);

  void drop_bytes();  // the bytes go, the record stays without what is the client's own
  void destroy();     // all of it goes

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::filesystem::path data() const { return folder_ / "data"; }

 private:
  UploadFile(std::filesystem::path folder, UploadRecord record, const StoreLimits& limits);
  std::unique_lock<std::mutex> lock_when_free(std::chrono::milliseconds patience);
  // All below with mutex_ held.
  [[nodiscard]] Facts current() const;
  void end_writer();
  void see_whether_whole();
  void flush();
  void cut_to(std::int64_t offset);
  void set_verified(std::optional<std::int64_t> offset);
  void write_record();
  int opened();

  const std::filesystem::path folder_;
  const std::string id_;
  const StoreLimits limits_;
  std::mutex job_mutex_;  // taken before mutex_
  mutable std::mutex mutex_;
  UploadRecord record_;
  Descriptor data_;            // open while there is a writer, or bytes to flush
  std::int64_t offset_ = 0;    // bytes in the file
  std::int64_t flushed_ = -1;  // of them on the disk; -1: unknown
  Writer writer_ = 0, last_writer_ = 0;
  std::int64_t began_ = 0;  // offset_ when the writer came
  std::chrono::steady_clock::time_point heard_;
  bool whole_ = false;  // once it is, it stays so
  bool gone_ = false;
};

}  // namespace reeltag::serve

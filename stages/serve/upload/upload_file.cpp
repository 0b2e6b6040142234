#include "upload_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::int64_t kMaxRecordBytes = 1 << 20;
// Interval of flushes, so that no request waits until a whole video is on the disk, and of checks for free space.
constexpr std::int64_t kFlushBytes = 16 << 20;

[[noreturn]] void throw_system(const std::string& what) {
  const int number = errno;
  const Code code =
      number == EACCES || number == EPERM || number == EROFS ? Code::permission_denied : Code::unavailable;
  throw Exception(code, what + ": " + std::generic_category().message(number));
}

void write_record_to(const fs::path& folder, const UploadRecord& record) {
  AtomicFile file(folder / "upload.json");
  fs::permissions(file.temporary(), fs::perms::owner_read | fs::perms::owner_write);
  file.write(to_text(record));
  file.commit();
}

Result<void> write_at(int file, std::int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return fail(Code::unavailable, "the server cannot write to its disk; try again later");
    offset += put;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// For this user; 0 if unknown.
std::int64_t free_bytes(const fs::path& folder) {
  struct statvfs facts{};
  if (::statvfs(folder.c_str(), &facts) != 0) return 0;
  const auto free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  return static_cast<std::int64_t>(std::min(free, 9e18));
}

}  // namespace

Result<void> check_free_bytes(const fs::path& folder, std::int64_t bytes, std::int64_t min_free_bytes) {
  if (free_bytes(folder) - bytes >= min_free_bytes) return {};
  return fail(Code::unavailable, "there is no room left for uploads; try again later");
}

UploadFile::UploadFile(fs::path folder, UploadRecord record, const UploadOptions& options)
    : folder_(std::move(folder)), id_(folder_.filename()), options_(options), record_(std::move(record)) {}

std::shared_ptr<UploadFile> UploadFile::create(const fs::path& uploads, const std::string& id, UploadRecord record,
                                               const UploadOptions& options) {
  const fs::path made = uploads / (".tmp-" + id);
  if (::mkdir(made.c_str(), 0700) != 0) throw_system("cannot make the folder '" + made.string() + "'");
  try {
    const Descriptor data(::open((made / "data").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!data.is_open() || ::fsync(data.get()) != 0) throw_system("cannot write in '" + made.string() + "'");
    write_record_to(made, record);  // flushes the folder too
    rename_durably(made, uploads / id);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(made, ignored);
    throw;
  }
  auto file = std::shared_ptr<UploadFile>(new UploadFile(uploads / id, std::move(record), options));
  file->flushed_ = 0;
  return file;
}

Result<std::shared_ptr<UploadFile>> UploadFile::load(const fs::path& folder, const UploadOptions& options) {
  const auto text = read_file(folder / "upload.json", kMaxRecordBytes);
  if (!text) return fail(text.error());
  auto record = parse_record(*text, (folder / "upload.json").string());
  if (!record) return fail(record.error());
  auto file = std::shared_ptr<UploadFile>(new UploadFile(folder, std::move(*record), options));
  if (file->record_.released) {
    file->offset_ = file->flushed_ = file->record_.length.value_or(0);
    file->whole_ = true;
    return file;
  }
  struct stat facts{};
  if (::lstat(file->data().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(Code::corrupt, "there is no file " + file->data().string());
  file->offset_ = facts.st_size;
  if (file->record_.length.value_or(INT64_MAX) < facts.st_size)
    return fail(Code::corrupt, file->data().string() + " is longer than its record says");
  const std::lock_guard lock(file->mutex_);
  file->end_writer();  // bytes of a part with an unverified checksum do not count
  return file;
}

// Succeeds if there is no writer or it is silent. Polls, because append() holds the lock while it waits for the disk,
// and the deadline must hold meanwhile.
std::unique_lock<std::mutex> UploadFile::lock_when_free(std::chrono::milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    std::unique_lock lock(mutex_, std::try_to_lock);
    const auto now = steady_clock::now();
    if (lock && (writer_ == 0 || now - heard_ >= kSilence)) return lock;
    if (lock) lock.unlock();
    if (now >= deadline) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::optional<UploadFile::Claim> UploadFile::claim(std::chrono::milliseconds timeout, bool checked) {
  const auto lock = lock_when_free(timeout);
  if (!lock || gone_) return std::nullopt;
  end_writer();
  flush();
  if (checked) set_verified(offset_);
  writer_ = ++last_writer_;
  began_ = offset_;
  heard_ = steady_clock::now();
  return Claim{writer_, offset_, record_};
}

Result<void> UploadFile::append(Writer writer, std::string_view part) {
  const std::lock_guard lock(mutex_);
  if (gone_) return fail(Code::not_found, "the upload is no longer there");
  if (writer == 0 || writer != writer_) return fail(Code::already_exists, "another request has taken this upload over");
  const auto size = static_cast<std::int64_t>(part.size());
  if (size > record_.length.value_or(options_.max_bytes) - offset_)
    return fail(Code::too_large, "these are more bytes than the upload is to have");
  if (offset_ / kFlushBytes != (offset_ + size) / kFlushBytes) {
    if (auto room = check_free_bytes(folder_, 0, options_.min_free_bytes); !room) return room;
    flush();
  }
  if (const auto written = write_at(opened(), offset_, part); !written) {
    cut_to(offset_);  // removes a partial write
    return written;
  }
  offset_ += size;
  heard_ = steady_clock::now();
  return {};
}

bool UploadFile::commit(Writer writer) {
  const std::lock_guard lock(mutex_);
  if (gone_ || writer == 0 || writer != writer_) return false;
  flush();
  if (record_.verified) set_verified(std::nullopt);
  end_writer();
  return true;
}

void UploadFile::abandon(Writer writer) {
  const std::lock_guard lock(mutex_);
  if (gone_ || writer == 0 || writer != writer_) return;
  try {
    end_writer();
  } catch (const std::exception& e) {  // the next request meets the same error
    log::error("upload_failed", {{"upload", id_}, {"message", e.what()}});
  }
}

void UploadFile::discard(Writer writer) {
  const std::lock_guard lock(mutex_);
  if (gone_ || writer == 0 || writer != writer_) return;
  cut_to(began_);
  end_writer();
}

UploadFile::Facts UploadFile::settle(std::chrono::milliseconds timeout) {
  if (const auto lock = lock_when_free(timeout); lock && !gone_) end_writer();
  return facts();
}

UploadFile::Facts UploadFile::facts() {
  const std::lock_guard lock(mutex_);
  if (!gone_) {
    flush();
    if (writer_ == 0) data_.close();
  }
  return current();
}

UploadFile::Facts UploadFile::glance() const {
  const std::lock_guard lock(mutex_);
  return current();
}

UploadFile::Facts UploadFile::current() const {
  return {record_, record_.verified.value_or(offset_), writer_ != 0, whole_};
}

void UploadFile::set_length(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  UploadRecord changed = record_;
  changed.length = bytes;
  replace_record(std::move(changed));
  see_whether_whole();
}

void UploadFile::set_description(std::string name, std::string content_type,
                                 std::map<std::string, std::string> metadata) {
  const std::lock_guard lock(mutex_);
  UploadRecord changed = record_;
  changed.name = std::move(name);
  changed.content_type = std::move(content_type);
  changed.metadata = std::move(metadata);
  replace_record(std::move(changed));
}

void UploadFile::set_request_digest(std::string digest) {
  const std::lock_guard lock(mutex_);
  UploadRecord changed = record_;
  changed.request_digest = std::move(digest);
  replace_record(std::move(changed));
}

void UploadFile::set_job(std::string job) {
  const std::lock_guard lock(mutex_);
  UploadRecord changed = record_;
  changed.job = std::move(job);
  replace_record(std::move(changed));
}

void UploadFile::set_terminated() {
  const std::lock_guard lock(mutex_);
  UploadRecord changed = record_;
  changed.terminated = true;
  replace_record(std::move(changed));
}

void UploadFile::drop_bytes() {
  const std::lock_guard lock(mutex_);
  if (gone_ || record_.released) return;
  writer_ = 0;
  data_.close();
  record_.released = true;
  record_.verified.reset();
  record_.name.clear();
  record_.content_type.clear();
  record_.metadata.clear();
  record_.upload_metadata.clear();
  write_record_to(folder_, record_);  // first: an unreleased record without its bytes would be unreadable
  std::error_code ignored;
  fs::remove(data(), ignored);
}

void UploadFile::destroy() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(gone_, true)) return;
  writer_ = 0;
  data_.close();
  const fs::path going = folder_.parent_path() / (".tmp-" + id_);
  rename_durably(folder_, going);  // atomic
  std::error_code ignored;         // what remains is removed at the next start
  fs::remove_all(going, ignored);
}

void UploadFile::end_writer() {
  writer_ = 0;
  if (record_.verified) {
    cut_to(*record_.verified);
    set_verified(std::nullopt);
  }
  if (flushed_ >= 0 && flushed_ != offset_) flush();
  data_.close();
  see_whether_whole();
}

// Only without a writer: its part may still prove wrong.
void UploadFile::see_whether_whole() {
  if (writer_ == 0 && record_.length == offset_) whole_ = true;
}

void UploadFile::flush() {
  if (record_.released || flushed_ == offset_) return;
  if (::fdatasync(opened()) == 0) {
    flushed_ = offset_;
    return;
  }
  // The kernel may have dropped unwritten pages: only bytes flushed before are certain.
  const int number = errno;
  if (flushed_ >= 0) cut_to(flushed_);
  errno = number;
  throw_system("cannot flush '" + data().string() + "'");
}

void UploadFile::cut_to(std::int64_t offset) {
  if (::ftruncate(opened(), offset) != 0) throw_system("cannot cut '" + data().string() + "'");
  offset_ = offset;
  // Flush at once: discarded bytes must not return after a power cut.
  if (::fdatasync(opened()) != 0) throw_system("cannot flush '" + data().string() + "'");
  flushed_ = offset;
}

void UploadFile::set_verified(std::optional<std::int64_t> offset) {
  UploadRecord changed = record_;
  changed.verified = offset;
  replace_record(std::move(changed));
}

void UploadFile::replace_record(UploadRecord changed) {
  if (gone_) return;
  write_record_to(folder_, changed);
  record_ = std::move(changed);  // after the disk: if writing throws, the old record still holds
}

int UploadFile::opened() {
  if (!data_.is_open()) data_ = Descriptor(::open(data().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!data_.is_open()) throw_system("cannot open '" + data().string() + "'");
  return data_.get();
}

}  // namespace reeltag::serve

#include "local_backend.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arrow/io/file.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <random>
#include <system_error>
#include <utility>

#include "failure.hpp"
#include "key.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::store {
namespace {

namespace fs = std::filesystem;

// A temporary file younger than this is never swept: its writer may not have come to lock it yet.
constexpr std::chrono::minutes kGrace{10};

// Folders can vanish between two system calls when another writer clears an empty one away.
constexpr int kAttempts = 5;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// A name that no other writer has, on this machine or on another one that shares the folder.
std::string unique_name() {
  static std::atomic<unsigned> counter{0};
  std::random_device random;
  return std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-" + std::to_string(random()) + "-" +
         std::to_string(random());
}

// A new, locked file for one blob in the making; removed on destruction unless it was renamed to its place.
class Temporary {
 public:
  Temporary(const fs::path& folder, const std::string& doing) : path_(folder / unique_name()) {
    int descriptor = create();
    for (int attempt = 1; descriptor < 0 && errno == ENOENT && attempt < kAttempts; ++attempt) {
      make_folders(folder, doing);
      descriptor = create();
    }
    if (descriptor < 0) raise_errno(errno, doing);
    // Where locks are not supported sweep() cannot take one either, so the file is safe without.
    ::flock(descriptor, LOCK_EX | LOCK_NB);
    stream_ = value_of(arrow::io::FileOutputStream::Open(descriptor), doing);  // owns the descriptor from here
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!placed_) ::unlink(path_.c_str());
  }

  arrow::io::OutputStream& stream() { return *stream_; }

  // The lock is held until the file is in its place.
  void place(const fs::path& target, const std::string& doing) {
    if (::fsync(stream_->file_descriptor()) != 0) raise_errno(errno, doing);
    rename_to(target, doing);
    placed_ = true;
    sync_folder(target.parent_path());
    check(stream_->Close(), doing);
  }

 private:
  int create() { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }

  void rename_to(const fs::path& target, const std::string& doing) {
    for (int attempt = 1; ::rename(path_.c_str(), target.c_str()) != 0; ++attempt) {
      const int error = errno;
      const bool again = attempt < kAttempts;
      if (error == EXDEV) {
        throw Exception(Code::unsupported, doing + ": '" + target.parent_path().string() +
                                               "' is on another file system than the store's root; a store must be on "
                                               "one file system, move the whole of it");
      }
      if (error == ENOENT && again) {
        make_folders(target.parent_path(), doing);
      } else if (!(error == EISDIR && again && remove_empty_folders(target))) {
        raise_errno(error, doing);
      }
    }
  }

  // Removed keys leave their folders behind; a blob may take the place of one. False when a blob lies below.
  static bool remove_empty_folders(const fs::path& folder) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.is_symlink(error) || !entry.is_directory(error) || !remove_empty_folders(entry.path())) return false;
    }
    return ::rmdir(folder.c_str()) == 0;
  }

  fs::path path_;
  std::shared_ptr<arrow::io::FileOutputStream> stream_;
  bool placed_ = false;
};

}  // namespace

void make_folders(const fs::path& folder, const std::string& doing) {
  const fs::path parent = folder.parent_path();
  for (int attempt = 1; ::mkdir(folder.c_str(), 0777) != 0; ++attempt) {
    const int error = errno;
    if (error == EEXIST) {
      std::error_code ignored;
      if (fs::is_directory(folder, ignored)) return;
      raise_errno(ENOTDIR, doing);
    }
    if (error != ENOENT || attempt == kAttempts || parent == folder) raise_errno(error, doing);
    make_folders(parent, doing);
  }
  sync_folder(parent);
}

LocalBackend::LocalBackend(const fs::path& root) : temporaries_(root / kTemporaryFolder) { sweep(); }

void LocalBackend::sweep() const {
  const auto oldest = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - kGrace);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(temporaries_, ignored)) {
    const Descriptor descriptor(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts{};
    if (descriptor.number() < 0 || ::fstat(descriptor.number(), &facts) != 0) continue;
    if (!S_ISREG(facts.st_mode) || facts.st_mtime > oldest) continue;
    if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

void LocalBackend::publish(const std::string& path, const Fill& fill, const std::string& doing) {
  Temporary temporary(temporaries_, doing);
  fill(temporary.stream());
  temporary.place(path, doing);
}

bool LocalBackend::remove(const std::string& path, const std::string& doing) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return false;
    raise_errno(errno, doing);
  }
  sync_folder(fs::path(path).parent_path());
  return true;
}

fs::path LocalBackend::local_path(const std::string& path, const std::string& /*doing*/) { return path; }

}  // namespace reeltag::store

#include "temporary.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <random>
#include <system_error>

#include "failure.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::store {
namespace {

namespace fs = std::filesystem;

// Temporary files younger than this are never removed: their writer may not have locked them yet.
constexpr std::chrono::minutes kGrace{10};

// Folders can vanish between two system calls if another writer removes an empty one.
constexpr int kNameAttempts = 5;

// A name unique on this machine and on others that share the folder.
std::string unique_name() {
  static std::atomic<unsigned> counter{0};
  std::random_device random;
  return std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-" + std::to_string(random()) + "-" +
         std::to_string(random());
}

int create(const fs::path& path) { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }

// Removed keys leave empty folders behind, where a blob may have to go. False if a blob lies below.
bool remove_empty_folders(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_symlink(error) || !entry.is_directory(error) || !remove_empty_folders(entry.path())) return false;
  }
  return ::rmdir(folder.c_str()) == 0;
}

void rename_to(const fs::path& path, const fs::path& target, const std::string& doing) {
  for (int attempt = 1; ::rename(path.c_str(), target.c_str()) != 0; ++attempt) {
    const int error = errno;
    const bool again = attempt < kNameAttempts;
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

}  // namespace

Temporary::Temporary(const fs::path& folder, const std::string& doing) : path_(folder / unique_name()) {
  int descriptor = create(path_);
  for (int attempt = 1; descriptor < 0 && errno == ENOENT && attempt < kNameAttempts; ++attempt) {
    make_folders(folder, doing);
    descriptor = create(path_);
  }
  if (descriptor < 0) raise_errno(errno, doing);
  // Without lock support no cleanup can take a lock either, so the file is safe.
  ::flock(descriptor, LOCK_EX | LOCK_NB);
  stream_ = value_of(arrow::io::FileOutputStream::Open(descriptor), doing);  // owns the descriptor from here on
}

Temporary::~Temporary() {
  if (!placed_) ::unlink(path_.c_str());
}

void Temporary::place(const fs::path& target, const std::string& doing) {
  if (::fsync(stream_->file_descriptor()) != 0) raise_errno(errno, doing);
  rename_to(path_, target, doing);
  placed_ = true;
  sync_folder(target.parent_path());
  check(stream_->Close(), doing);
}

void make_folders(const fs::path& folder, const std::string& doing) {
  const fs::path parent = folder.parent_path();
  for (int attempt = 1; ::mkdir(folder.c_str(), 0777) != 0; ++attempt) {
    const int error = errno;
    if (error == EEXIST) {
      std::error_code ignored;
      if (fs::is_directory(folder, ignored)) return;
      raise_errno(ENOTDIR, doing);
    }
    if (error != ENOENT || attempt == kNameAttempts || parent == folder) raise_errno(error, doing);
    make_folders(parent, doing);
  }
  sync_folder(parent);
}

std::vector<UnfinishedUpload> temporaries_in(const fs::path& folder) {
  std::vector<UnfinishedUpload> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    struct stat facts{};
    if (::lstat(entry.path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    found.push_back({entry.path().filename().string(), {}, facts.st_mtime});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  return found;
}

bool remove_temporary(const fs::path& folder, const std::string& name) {
  const auto path = folder / fs::path(name).filename();
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file.is_open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && ::unlink(path.c_str()) == 0;
}

void sweep_temporaries(const fs::path& folder) {
  const auto oldest = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - kGrace);
  for (const auto& one : temporaries_in(folder)) {
    if (one.begun <= oldest) remove_temporary(folder, one.name);
  }
}

}  // namespace reeltag::store

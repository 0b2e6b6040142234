#include "copies.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <system_error>
#include <utility>
#include <vector>

#include "key.hpp"
#include "reeltag/base/descriptor.hpp"
#include "temporary.hpp"

namespace reeltag::store {

namespace fs = std::filesystem;

namespace {

// The time that a caller has between receiving a path and opening it.
constexpr std::chrono::seconds kInUse{60};
// Scanning the folder takes time: done each time this share of the bound was added, and then frees as much.
constexpr std::int64_t kShare = 16;

}  // namespace

struct CopyFolder::Copy {
  fs::path path;
  std::int64_t bytes = 0;
  std::time_t used = 0;
};

CopyFolder::CopyFolder(fs::path folder, std::int64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes), added_(max_bytes) {
  sweep_temporaries(folder_ / kTemporaryFolder);
}

std::optional<fs::path> CopyFolder::find(const std::string& name, std::int64_t size_bytes) {
  auto path = folder_ / name;
  // Updates the times first: then no process removes it for a minute.
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0) return std::nullopt;
  std::error_code error;
  if (fs::file_size(path, error) != static_cast<std::uintmax_t>(size_bytes) || error) return std::nullopt;
  return path;
}

fs::path CopyFolder::add(const std::string& name, const Backend::Fill& fill, const std::string& doing) {
  const auto path = folder_ / name;
  Temporary temporary(folder_ / kTemporaryFolder, doing);
  fill(temporary.stream());
  temporary.place(path, doing);
  std::error_code ignored;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(path, ignored));
  const std::lock_guard lock(mutex_);
  added_ += bytes;
  if (added_ > max_bytes_ / kShare) {
    make_room();
    added_ = 0;
  }
  return path;
}

std::vector<CopyFolder::Copy> CopyFolder::list() const {
  std::vector<Copy> copies;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    struct stat facts{};
    if (::lstat(entry.path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    copies.push_back({entry.path(), facts.st_size, facts.st_mtime});
  }
  std::sort(copies.begin(), copies.end(), [](const Copy& a, const Copy& b) { return a.used < b.used; });
  return copies;
}

void CopyFolder::make_room() {
  // One process at a time; if another one is active, it frees the space.
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return;
  const auto copies = list();
  std::int64_t bytes = 0;
  for (const auto& copy : copies) bytes += copy.bytes;
  const auto oldest = std::time(nullptr) - kInUse.count();
  std::error_code ignored;
  for (const auto& copy : copies) {
    if (bytes <= max_bytes_ - max_bytes_ / kShare || copy.used > oldest) return;
    if (fs::remove(copy.path, ignored)) bytes -= copy.bytes;
  }
}

Copies CopyFolder::drop(std::chrono::seconds unused_for, bool dry_run) {
  const auto oldest = std::time(nullptr) - std::max(unused_for, kInUse).count();
  Copies dropped;
  std::error_code ignored;
  for (const auto& copy : list()) {
    if (copy.used > oldest) break;
    if (!dry_run && !fs::remove(copy.path, ignored)) continue;
    ++dropped.files;
    dropped.bytes += copy.bytes;
  }
  return dropped;
}

}  // namespace reeltag::store

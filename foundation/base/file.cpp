#include "reeltag/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/ids.hpp"
#include "system_error.hpp"

namespace reeltag {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return '\'' + path.string() + '\''; }

[[noreturn]] void throw_system(const std::string& what) { throw Exception(system_error(errno, what)); }

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// Before the process id in the name of a temporary file.
constexpr std::string_view kTemporaryPrefix = ".tmp-";

}  // namespace

Result<std::string> read_file(const fs::path& path, std::int64_t max_bytes) {
  const auto what = "cannot read " + quoted(path);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return fail(system_error(errno, what));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return fail(system_error(errno, what));
  const auto too_large = [&] { return fail(Code::too_large, what + ": over " + std::to_string(max_bytes) + " bytes"); };
  if (S_ISREG(facts.st_mode) && facts.st_size > max_bytes) return too_large();

  // The size is only a hint: files in /proc report 0, others may grow. One extra byte shows that the limit is exceeded.
  std::string bytes;
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(max_bytes, 0)) + 1;
  std::size_t used = 0;
  bytes.resize(std::min(limit, static_cast<std::size_t>(std::max<off_t>(facts.st_size, 4096)) + 1));
  for (;;) {
    const auto got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(errno, what));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used == limit) return too_large();
    if (used == bytes.size()) bytes.resize(std::min(limit, bytes.size() * 2));
  }
  bytes.resize(used);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  if (!path_.has_filename()) throw Exception(Code::invalid_argument, "no file name in " + quoted(path_));
  // Hidden and unique: two writers of one path do not collide before the rename.
  temporary_ = folder_of(path_) / (std::string(kTemporaryPrefix) + new_id(std::to_string(::getpid())));
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_system("cannot write " + quoted(path_));
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw_system("cannot write " + quoted(path_));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void AtomicFile::commit() {
  if (descriptor_ < 0) throw Exception(Code::internal, quoted(path_) + " was committed before");
  // Opened by name: a library may have replaced the temporary with a new file.
  const Descriptor written(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written.is_open() || ::fsync(written.get()) != 0) throw_system("cannot write " + quoted(path_));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_system("cannot replace " + quoted(path_));
  ::close(std::exchange(descriptor_, -1));
  sync_folder(folder_of(path_));
}

void remove_abandoned_files(const fs::path& folder) {
  std::error_code ignored;
  fs::directory_iterator entry(folder, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    const auto name = entry->path().filename().string();
    if (!name.starts_with(kTemporaryPrefix)) continue;
    const auto process = std::atoi(name.c_str() + kTemporaryPrefix.size());
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) ::unlink(entry->path().c_str());
  }
}

void rename_durably(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw_system("cannot rename " + quoted(from) + " to " + quoted(to));
  }
  sync_folder(folder_of(to));
  if (folder_of(from) != folder_of(to)) sync_folder(folder_of(from));
}

void sync_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) throw_system("cannot open the folder " + quoted(folder));
  // EINVAL: the file system has no fsync for folders, as some network mounts; nothing more can be done.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) throw_system("cannot flush the folder " + quoted(folder));
}

Descriptor open_unnamed_file(const fs::path& folder) {
  Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.is_open()) return file;
  // Some network file systems lack O_TMPFILE: there the file has a name briefly.
  auto name = (folder / ".tmp-XXXXXX").string();
  file = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.is_open()) throw_system("cannot make a temporary file in " + quoted(folder));
  ::unlink(name.c_str());
  return file;
}

TemporaryFolder::TemporaryFolder(std::string_view prefix, const fs::path& parent) {
  std::error_code no_folder;
  const auto base = parent.empty() ? fs::temp_directory_path(no_folder) : parent;
  if (no_folder) throw Exception(Code::not_found, "no temporary folder; set TMPDIR to one that exists");
  auto name = (base / (std::string(prefix) + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) throw_system("cannot make a temporary folder in " + quoted(base));
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a destructor cannot report that removing failed
  fs::remove_all(path_, ignored);
}

}  // namespace reeltag

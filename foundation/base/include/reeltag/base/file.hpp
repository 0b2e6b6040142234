// Files: whole-file reads with a limit, atomic and durable writes, temporary folders.
// Functions: any thread, different paths. AtomicFile and TemporaryFolder: one thread; they own what they made.
// Failure: reads give a Result (not_found, permission_denied, too_large, unavailable); writes throw the same codes as
// Exception, with the path in the message. Nothing half-written is ever seen under the final name, after a crash too;
// a kill leaves at most a hidden file ".tmp-..." beside it, which whoever lists the folder passes over.
//
//   write_file(run / "metrics.json", text);
//   auto text = read_file(path, 1 << 20);
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag {

// The whole file. More than max_bytes: too_large. A folder: invalid_argument.
Result<std::string> read_file(const std::filesystem::path& path, std::int64_t max_bytes);

// Replaces or creates the file: a temporary in the same folder, fsync, rename, fsync of the folder.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// The same in pieces; without commit() nothing changes and the temporary is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  // Where the bytes are until commit(), for libraries that want to write by path themselves.
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// Renames a file or a folder within one file system so that the new name survives a crash. A file that is there is
// replaced; a folder that is there and not empty is already_exists.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// Flushes a folder's entries to the disk: after creating, renaming or removing something in it.
void sync_folder(const std::filesystem::path& folder);

// A fresh file without a name in the folder's file system, to write and read: it is gone when its last descriptor is,
// whatever happens to the process.
Descriptor open_unnamed_file(const std::filesystem::path& folder);

// A fresh folder, readable by this user only, removed with all it holds by the destructor.
class TemporaryFolder {
 public:
  // Below the system's temporary folder ($TMPDIR or /tmp), or below parent.
  explicit TemporaryFolder(std::string_view prefix = "reeltag", const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace reeltag

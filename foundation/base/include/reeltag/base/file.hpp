// Files: whole-file reads with a limit, atomic and durable writes, temporary folders.
// Functions: any thread, on different paths. AtomicFile and TemporaryFolder: one thread; they own the files they
// create. Failure: reads return a Result (not_found, permission_denied, too_large, unavailable); writes throw Exception
// with the same codes and the path in the message. A partly written file never appears under its final name, even after
// a crash; a killed process leaves at most a hidden file ".tmp-..." beside it, which folder listings must skip.
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

// Reads the whole file. Fails with too_large above max_bytes, and with invalid_argument for a folder.
Result<std::string> read_file(const std::filesystem::path& path, std::int64_t max_bytes);

// Replaces or creates the file: writes a temporary in the same folder, then fsync, rename, fsync of the folder.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// write_file in pieces. Without commit() nothing changes and the temporary is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  // The file that holds the bytes until commit(), for libraries that write to a path themselves.
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// Removes the temporary files that AtomicFile left in the folder when its process was killed; those of processes that
// still run stay. Ignores what it cannot remove.
void remove_abandoned_files(const std::filesystem::path& folder);

// Renames a file or a folder within one file system so that the new name survives a crash. Replaces an existing file;
// fails with already_exists for an existing folder that is not empty.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// Flushes a folder's entries to disk: call it after creating, renaming or removing something in it.
void sync_folder(const std::filesystem::path& folder);

// Opens a new unnamed file for reading and writing on the folder's file system. The kernel frees it with its last
// descriptor, even if the process crashes.
Descriptor open_unnamed_file(const std::filesystem::path& folder);

// Creates a folder that only this user can read; the destructor removes it with its content.
class TemporaryFolder {
 public:
  // Creates it in the system's temporary folder ($TMPDIR or /tmp), or in parent.
  explicit TemporaryFolder(std::string_view prefix = "reeltag", const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace reeltag

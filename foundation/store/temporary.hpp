// A file in the making: written under a name of its own, then moved to its place whole and durably. Private to the
// store.
//
//   Temporary temporary(root / kTemporaryFolder, "writing blob 'k'");
//   fill(temporary.stream());
//   temporary.place(root / "k", "writing blob 'k'");
//
// The writer holds a lock (flock) on it, so that a file is known to be left over when nobody holds its lock.
// One thread. Fails as failure.hpp says.
#pragma once

#include <arrow/io/file.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "reeltag/store.hpp"

namespace reeltag::store {

class Temporary {
 public:
  // A new file in folder, which is made when it is missing.
  Temporary(const std::filesystem::path& folder, const std::string& doing);
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary();  // removes it unless it was placed

  arrow::io::OutputStream& stream() { return *stream_; }
  // Replaces target; the lock is held until the file is in its place.
  void place(const std::filesystem::path& target, const std::string& doing);

 private:
  std::filesystem::path path_;
  std::shared_ptr<arrow::io::FileOutputStream> stream_;
  bool placed_ = false;
};

// Creates folder and its missing parents and makes each new entry durable.
void make_folders(const std::filesystem::path& folder, const std::string& doing);

// The files of a folder of temporaries, oldest first.
std::vector<UnfinishedUpload> temporaries_in(const std::filesystem::path& folder);
// Removes the one of this name; false where its writer lives, or it is gone.
bool remove_temporary(const std::filesystem::path& folder, const std::string& name);
// Removes those of dead writers. Young ones are left: their writer may not have come to lock them yet.
void sweep_temporaries(const std::filesystem::path& folder);

}  // namespace reeltag::store

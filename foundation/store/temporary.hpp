// A file that is written under a temporary name, then moved to its final path, complete and durable. Private to the
// store.
//
//   Temporary temporary(root / kTemporaryFolder, "writing blob 'k'");
//   fill(temporary.stream());
//   temporary.place(root / "k", "writing blob 'k'");
//
// The writer holds a lock (flock) on it; a file without a lock holder is a leftover. One thread; owns the file until it
// is placed. Fails as failure.hpp says.
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
  // Creates a file in folder, which is created if missing.
  Temporary(const std::filesystem::path& folder, const std::string& doing);
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary();  // removes the file unless it was placed

  arrow::io::OutputStream& stream() { return *stream_; }
  // Replaces target; holds the lock until the file is at its final path.
  void place(const std::filesystem::path& target, const std::string& doing);

 private:
  std::filesystem::path path_;
  std::shared_ptr<arrow::io::FileOutputStream> stream_;
  bool placed_ = false;
};

// Creates folder and its missing parents and makes each new entry durable.
void make_folders(const std::filesystem::path& folder, const std::string& doing);

// The files in a folder of temporaries, oldest first.
std::vector<UnfinishedUpload> temporaries_in(const std::filesystem::path& folder);
// Removes the file with this name; false if its writer is alive, or it no longer exists.
bool remove_temporary(const std::filesystem::path& folder, const std::string& name);
// Removes the files of dead writers. Skips recent ones: their writer may not have locked them yet.
void sweep_temporaries(const std::filesystem::path& folder);

}  // namespace reeltag::store

// Writes and reads a catalog's rows as files. Private to the catalog. One thread; a writer owns its files. Failures
// throw Exception with the file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void write(const Row& row) = 0;
  // Call after the last row: completes the files and syncs them to disk.
  virtual void finish(const Counts& counts) = 0;
};

// The path must not exist yet.
std::unique_ptr<RowWriter> write_jsonl(const std::filesystem::path& path);
std::unique_ptr<RowWriter> write_parquet(const std::filesystem::path& folder);

// Calls visit for each row, in the order of writing. Throws corrupt if the counts differ from those of finish(),
// unsupported for a newer format.
void read_jsonl(const std::filesystem::path& path, const std::function<void(const Row&)>& visit);
void read_parquet(const std::filesystem::path& folder, const std::function<void(const Row&)>& visit);

constexpr std::int64_t kRowFilesForm = 1;
constexpr const char* kRowFilesName = "reeltag_catalog";

void count(const Row& row, Counts& counts);

}  // namespace reeltag::catalog

// Writers and readers of a catalog's rows as files. Private to the catalog. One thread. Failures throw Exception with
// the file.
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
  // After the last row: the files are whole and on the disk.
  virtual void finish(const Counts& counts) = 0;
};

// At a path that does not exist yet.
std::unique_ptr<RowWriter> write_jsonl(const std::filesystem::path& path);
std::unique_ptr<RowWriter> write_parquet(const std::filesystem::path& folder);

// Calls visit for each row, in the order in which they were written. Throws corrupt where the counts differ from those
// of finish(), unsupported for a newer form.
void read_jsonl(const std::filesystem::path& path, const std::function<void(const Row&)>& visit);
void read_parquet(const std::filesystem::path& folder, const std::function<void(const Row&)>& visit);

constexpr std::int64_t kRowFilesForm = 1;
constexpr const char* kRowFilesName = "reeltag_catalog";

void count(const Row& row, Counts& counts);

}  // namespace reeltag::catalog

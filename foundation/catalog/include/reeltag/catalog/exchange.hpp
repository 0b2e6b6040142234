// Exports a catalog to files and imports it, to move between databases or to read it with other tools: JSON Lines in
// one file (a name ending in ".jsonl"), or a folder of Parquet files, one per kind of row. Formats: docs/adr/0039. Rows
// are streamed. Functions; one thread per catalog. Failure: Exception: already_exists (export never overwrites),
// not_found, corrupt (a truncated or changed file), unsupported (a newer format), invalid_argument, interrupted, and
// the catalog's exceptions.
//
//   export_to(*catalog, "catalog.jsonl");
//   const auto report = import_from(*other, "catalog.jsonl");
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

struct ExchangeOptions {
  // Include the tombstones and their salt, without which they cannot be checked.
  bool secrets = false;
  std::stop_token stop = {};
  std::function<void(std::int64_t rows)> progress = {};
};

struct ExportReport {
  Counts rows;
  std::int64_t tombstones_left_out = 0;  // omitted because secrets is false
};
// Writes a new file or folder that only its owner can read; it appears complete or not at all.
ExportReport export_to(Catalog& catalog, const std::filesystem::path& path, const ExchangeOptions& options = {});

struct ImportReport {
  Counts rows;                                          // rows in the files
  Counts stored;                                        // rows that did not exist yet
  std::vector<std::pair<std::string, Error>> rejected;  // invalid rows: which, and why
};
// Reads all files and checks their counts before storing anything. Then stores rows in batches, one transaction each;
// after an interruption it can be run again and skips existing rows (Catalog::restore).
ImportReport import_from(Catalog& catalog, const std::filesystem::path& path, const ExchangeOptions& options = {});

}  // namespace reeltag::catalog

// A catalog as files, to move it between databases and to read it elsewhere: JSON Lines in one file (a name that ends
// in
// ".jsonl"), or a folder of Parquet files, one a kind of row. The forms are described in docs/adr/0039. Rows are
// streamed. Functions; one thread a catalog.
// Failure: Exception: already_exists (export never overwrites), not_found, corrupt (a file that is cut off or changed),
// unsupported (a newer form), invalid_argument, interrupted, and what the catalog throws.
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
  // The salt of what was forgotten, and the tombstones, which mean nothing without it.
  bool secrets = false;
  std::stop_token stop = {};
  std::function<void(std::int64_t rows)> progress = {};
};

struct ExportReport {
  Counts rows;
  std::int64_t tombstones_left_out = 0;  // without secrets
};
// Writes a new file or folder that only its owner can read; it is there whole or not at all.
ExportReport export_to(Catalog& catalog, const std::filesystem::path& path, const ExchangeOptions& options = {});

struct ImportReport {
  Counts rows;                                          // that the files hold
  Counts stored;                                        // that were not there
  std::vector<std::pair<std::string, Error>> rejected;  // rows that no catalog can hold: which, and why
};
// Reads all of the files and checks their counts before it stores anything. Then stores a transaction of rows at a
// time; stopped or killed it can be run again, and passes over what is there (Catalog::restore).
ImportReport import_from(Catalog& catalog, const std::filesystem::path& path, const ExchangeOptions& options = {});

}  // namespace reeltag::catalog

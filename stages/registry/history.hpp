// Reads and writes HOME/models/<name>/history.jsonl, an append-only log with one line per change, and locks it for
// writers. Each change rewrites the whole file atomically, so no reader and no kill leaves a partial line. Private.
// Functions: any thread. Lock: one thread; it owns the lock file's descriptor. Throws Exception: corrupt for a missing
// or invalid line, naming it; unavailable if the lock cannot be acquired.
//
//   const Lock lock(folder);
//   auto changes = read_history(folder);
//   append(folder, changes, {.act = Act::promote, .version = 3, .alias = "champion"});
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/registry.hpp"

namespace reeltag::registry {

// Holds the writers' lock during its lifetime.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& folder);

 private:
  Descriptor file_;
};

std::filesystem::path history_file(const std::filesystem::path& folder);
// Empty if there is no file.
std::vector<Change> read_history(const std::filesystem::path& folder);
// Numbers the change, sets its time if it has none, writes the file and appends the change to changes.
const Change& append(const std::filesystem::path& folder, std::vector<Change>& changes, Change change);

// Per alias, the versions that it has named, oldest first; the last is the current one.
using Named = std::map<std::string, std::vector<std::int64_t>>;
Named named_by_aliases(const std::vector<Change>& changes);
std::set<std::int64_t> removed_versions(const std::vector<Change>& changes);

std::string now_utc();  // "2026-11-26T04:31:44Z"
// Sets user@host if empty; throws for texts that are too long for a line.
Author checked(const Author& author);

}  // namespace reeltag::registry

// HOME/models/<name>/history.jsonl, a line a change, which only grows; and the lock of those who write. It is written
// anew as a whole with each change, so that no reader sees half a line and no kill leaves one.
// Functions: any thread. Lock: one thread; it owns the lock file's descriptor. Throws Exception: corrupt for a history
// that has a hole or a line that is none, naming the line; unavailable when the lock is not to be had.
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

// Held while it lives.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& folder);

 private:
  Descriptor file_;
};

std::filesystem::path history_file(const std::filesystem::path& folder);
// Empty where there is no file.
std::vector<Change> read_history(const std::filesystem::path& folder);
// Numbers the change, gives it the time where it has none, writes the file and adds it to changes.
const Change& append(const std::filesystem::path& folder, std::vector<Change>& changes, Change change);

// What each alias named, the oldest first; the last one it names now.
using Named = std::map<std::string, std::vector<std::int64_t>>;
Named named_by_aliases(const std::vector<Change>& changes);
std::set<std::int64_t> removed_versions(const std::vector<Change>& changes);

std::string now_utc();  // "2026-11-26T04:31:44Z"
// Fills in user@host, and refuses texts that are too long for a line.
Author checked(const Author& author);

}  // namespace reeltag::registry

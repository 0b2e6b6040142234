// Copies of an object store's blobs in a folder of this machine, bounded in bytes: the longest unused go first.
// Thread-safe, and several processes may share a folder. A copy that was asked for within the last minute is never
// removed, so what is asked for within a minute may pass the bound. Fails as the store does. Private to the store.
//
//   CopyFolder copies(home / "cache" / "store", 20LL << 30);
//   auto path = copies.find(name, size);
//   if (!path) path = copies.add(name, [&](auto& out) { fetch(out); }, "reading blob 'k'");
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "backend.hpp"
#include "reeltag/store.hpp"

namespace reeltag::store {

class CopyFolder {
 public:
  CopyFolder(std::filesystem::path folder, std::int64_t max_bytes);

  // The copy of this name where there is one of this size; it counts as used now.
  std::optional<std::filesystem::path> find(const std::string& name, std::int64_t size_bytes);
  // Makes it, whole or not at all, and makes room for it.
  std::filesystem::path add(const std::string& name, const Backend::Fill& fill, const std::string& doing);

  // Removes what was not used for so long; with dry_run it only counts.
  Copies drop(std::chrono::seconds unused_for, bool dry_run);

 private:
  struct Copy;
  [[nodiscard]] std::vector<Copy> list() const;
  void make_room();

  std::filesystem::path folder_;
  std::int64_t max_bytes_;
  std::mutex mutex_;
  std::int64_t added_ = 0;  // bytes since room was made; guarded by mutex_
};

}  // namespace reeltag::store

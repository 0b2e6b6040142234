// Caches an object store's blobs in a local folder, bounded in bytes; evicts the least recently used first.
// Thread-safe, and several processes may share a folder. Never removes a copy that was requested within the last
// minute, so requests within one minute may exceed the bound. Fails as the store does. Private to the store.
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

  // The copy with this name and size, if there is one; marks it as used now.
  std::optional<std::filesystem::path> find(const std::string& name, std::int64_t size_bytes);
  // Creates the copy, complete or not at all, and evicts others to make room.
  std::filesystem::path add(const std::string& name, const Backend::Fill& fill, const std::string& doing);

  // Removes copies unused for that long; with dry_run only counts them.
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

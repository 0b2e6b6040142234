// Locks a home against a second server, which would take over the first one's uploads. Private to serve. One thread.
// Holds the lock until it is destroyed or the process dies. Throws Exception: unavailable if another server has the
// home, permission_denied if the home cannot be written.
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/base/descriptor.hpp"

namespace reeltag::serve {

class HomeLock {
 public:
  explicit HomeLock(const std::filesystem::path& home);
  // Identifies this home among those that share a catalog: 32 hexadecimal digits, generated once.
  [[nodiscard]] const std::string& node_id() const { return node_id_; }

 private:
  Descriptor lock_;
  std::string node_id_;
};

}  // namespace reeltag::serve

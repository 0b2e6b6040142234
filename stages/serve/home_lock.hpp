// Keeps a second server out of a home: each would take the uploads of the other for its own. Private to serve.
// Holds the lock until it is destroyed; a process that dies gives it back. Throws Exception: unavailable where another
// server has the home, permission_denied where the home cannot be written.
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/base/descriptor.hpp"

namespace reeltag::serve {

class HomeLock {
 public:
  explicit HomeLock(const std::filesystem::path& home);
  // Names this home among those that share a catalog: 32 hexadecimal digits, made once.
  [[nodiscard]] const std::string& node_id() const { return node_id_; }

 private:
  Descriptor lock_;
  std::string node_id_;
};

}  // namespace reeltag::serve

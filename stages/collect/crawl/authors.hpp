// Authors without their names: the catalog keeps a salted SHA-256, so that the videos of one author can be kept
// together and nobody can look a name up without the salt file. Thread-safe after construction.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace reeltag::collect {

class Authors {
 public:
  // The file is made at the first call of hash(), with mode 0600.
  explicit Authors(std::filesystem::path salt_file) : salt_file_(std::move(salt_file)) {}

  // 64 hexadecimal digits; empty for an empty name. Throws Exception: permission_denied, unavailable, corrupt (the salt
  // file is not one of ours), invalid_argument (no salt file was named). One thread.
  std::string hash(std::string_view name);

 private:
  std::filesystem::path salt_file_;
  std::string salt_;
};

}  // namespace reeltag::collect

// Pseudonymizes authors: the catalog keeps a salted SHA-256, so that the videos of one author can be kept together but
// no name can be looked up without the salt file. One thread. Owns the salt, once read.
//
//   const std::string author = Authors(home / "author.salt").hash("some.name");
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace reeltag::collect {

class Authors {
 public:
  // The file is created by the first hash() of a name, with mode 0600.
  explicit Authors(std::filesystem::path salt_file) : salt_file_(std::move(salt_file)) {}

  // 64 hexadecimal digits; empty for an empty name. Throws Exception: permission_denied, unavailable, corrupt (not a
  // salt file of reeltag), invalid_argument (no salt file was named).
  std::string hash(std::string_view name);

 private:
  std::filesystem::path salt_file_;
  std::string salt_;
};

}  // namespace reeltag::collect

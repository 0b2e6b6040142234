#include "crawl/authors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/random.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::collect {
namespace {

constexpr std::size_t kSaltDigits = 64;

[[noreturn]] void refuse(const std::filesystem::path& path, int error) {
  throw Exception(
      error == EACCES || error == EPERM || error == EROFS ? Code::permission_denied : Code::unavailable,
      "cannot write the salt of author names to " + path.string() + ": " + std::generic_category().message(error));
}

// Links a temporary file to the final name: if two processes start together, one creates the file and the other reads
// it.
void create_salt(const std::filesystem::path& path) {
  const std::string text = random_hex(kSaltDigits / 2);
  std::error_code ignored;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  std::string temporary = path.string() + ".XXXXXX";
  const int file = mkstemp(temporary.data());  // mode 0600
  if (file < 0) refuse(path, errno);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  const int write_error = errno;
  close(file);
  const bool linked = written && link(temporary.c_str(), path.c_str()) == 0;
  const int link_error = errno;
  unlink(temporary.c_str());
  if (!written) refuse(path, write_error);
  if (!linked && link_error != EEXIST) refuse(path, link_error);
  sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace

std::string author_hash(const std::filesystem::path& salt_file, std::string_view name) {
  return Authors(salt_file).hash(name);
}

std::string Authors::hash(std::string_view name) {
  if (name.empty()) return {};
  if (salt_.empty()) {
    if (salt_file_.empty()) throw Exception(Code::invalid_argument, "there are authors, but no salt file was named");
    if (!std::filesystem::exists(salt_file_)) create_salt(salt_file_);
    auto salt = value_or_throw(read_file(salt_file_, 4096));
    if (salt.size() != kSaltDigits) {
      throw Exception(Code::corrupt, salt_file_.string() +
                                         " is no salt file: restore it from a copy. A new one would give " +
                                         "the authors of this catalog other names");
    }
    salt_ = std::move(salt);
  }
  return hex(sha256(salt_ + std::string(name)));
}

}  // namespace reeltag::collect

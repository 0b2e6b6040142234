#include "home_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "reeltag/base/file.hpp"
#include "reeltag/base/random.hpp"

namespace reeltag::serve {

namespace fs = std::filesystem;

HomeLock::HomeLock(const fs::path& home) {
  const auto folder = home / "uploads";
  fs::create_directories(folder);
  lock_ = Descriptor(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.is_open()) throw Exception(Code::permission_denied, folder.string() + ": cannot be written");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Exception(Code::unavailable, "another server works in " + home.string() + "; give this one a --home");
  }
  const auto file = folder / "place";
  if (auto text = read_file(file, 1024); text && !text->empty()) {
    node_id_ = *text;
    return;
  }
  node_id_ = random_hex(16);
  write_file(file, node_id_);
}

}  // namespace reeltag::serve

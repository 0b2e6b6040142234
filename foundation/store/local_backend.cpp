#include "local_backend.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "failure.hpp"
#include "key.hpp"
#include "reeltag/base/file.hpp"
#include "temporary.hpp"

namespace reeltag::store {

namespace fs = std::filesystem;

LocalBackend::LocalBackend(const fs::path& root) : temporaries_(root / kTemporaryFolder) {
  sweep_temporaries(temporaries_);
}

void LocalBackend::publish(const std::string& path, const Fill& fill, const std::string& doing) {
  Temporary temporary(temporaries_, doing);
  fill(temporary.stream());
  temporary.place(path, doing);
}

bool LocalBackend::remove(const std::string& path, const std::string& doing) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return false;
    raise_errno(errno, doing);
  }
  sync_folder(fs::path(path).parent_path());
  return true;
}

std::optional<fs::path> LocalBackend::local_path(const std::string& path, const std::string& doing) {
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  if (kind == fs::file_type::none) raise_errno(error.value(), doing);
  if (kind != fs::file_type::regular) return std::nullopt;
  return path;
}

std::vector<UnfinishedUpload> LocalBackend::unfinished() { return temporaries_in(temporaries_); }

bool LocalBackend::discard(const UnfinishedUpload& write) { return remove_temporary(temporaries_, write.name); }

Copies LocalBackend::drop_copies(std::chrono::seconds /*unused_for*/, bool /*dry_run*/) { return {}; }

}  // namespace reeltag::store

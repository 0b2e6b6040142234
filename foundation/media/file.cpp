#include "file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace reeltag::media {

Result<std::shared_ptr<const File>> File::open(const std::filesystem::path& path, const Limits& limits) {
  // Non-blocking: opening a named pipe must not wait for a writer.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (descriptor.is_open()) return adopt(std::move(descriptor), path.string(), limits);
  const int problem = errno;
  if (problem == ENOENT || problem == ENOTDIR) return fail(Code::not_found, path.string() + ": no such file");
  if (problem == EACCES || problem == EPERM) return fail(Code::permission_denied, path.string() + ": may not be read");
  return fail(Code::not_found,
              path.string() + ": cannot be opened: " + std::error_code(problem, std::generic_category()).message());
}

Result<std::shared_ptr<const File>> File::adopt(Descriptor descriptor, const std::string& name, const Limits& limits) {
  // A worker gets the descriptor and must not be able to write.
  if ((::fcntl(descriptor.get(), F_GETFL) & O_ACCMODE) != O_RDONLY) {
    const auto again = "/proc/self/fd/" + std::to_string(descriptor.get());
    descriptor = Descriptor(::open(again.c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::shared_ptr<File> file(new File(std::move(descriptor), name));
  struct stat facts{};
  if (::fstat(file->descriptor(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(file->error(Code::not_a_video, "is not a regular file"));
  if (facts.st_size == 0) return fail(file->error(Code::not_a_video, "is empty"));
  if (facts.st_size > limits.max_bytes)
    return fail(file->error(Code::too_large, "has " + std::to_string(facts.st_size) +
                                                 " bytes, the limit media.max_bytes is " +
                                                 std::to_string(limits.max_bytes)));
  file->size_ = facts.st_size;
  return file;
}

std::int64_t File::read(std::int64_t offset, std::span<std::uint8_t> to) const {
  for (;;) {
    const auto got = ::pread(descriptor(), to.data(), to.size(), offset);
    if (got >= 0 || errno != EINTR) return got;
  }
}

}  // namespace reeltag::media

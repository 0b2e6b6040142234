#include <sys/stat.h>

#include <cerrno>

#include "history.hpp"
#include "reeltag/registry.hpp"

namespace reeltag::registry {

Watch::Watch(const std::filesystem::path& models, std::string name, std::string alias)
    : registry_(models), history_(history_file(models / name)), name_(std::move(name)), alias_(std::move(alias)) {
  check_name(name_);
  check_alias(alias_);
}

Result<std::optional<std::int64_t>> Watch::poll() {
  struct stat facts{};
  const bool there = ::stat(history_.c_str(), &facts) == 0;
  if (!there && errno != ENOENT && errno != ENOTDIR)
    return fail(Code::unavailable, "cannot look at " + history_.string());
  // The file only grows, so its size would suffice; the other fields detect a file that was replaced by hand.
  const FileStamp now = !there ? FileStamp{}
                               : FileStamp{.size = facts.st_size,
                                           .seconds = facts.st_mtim.tv_sec,
                                           .nanoseconds = facts.st_mtim.tv_nsec,
                                           .inode = facts.st_ino};
  if (now == seen_) return std::nullopt;
  try {
    const auto aliases = registry_.aliases(name_);
    seen_ = now;
    const auto it = aliases.find(alias_);
    if (it == aliases.end() || version_ == it->second) return std::nullopt;
    version_ = it->second;
    return version_;
  } catch (const Exception& e) {
    return fail(e.error());
  }
}

}  // namespace reeltag::registry

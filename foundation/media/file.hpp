// An open video file: its descriptor, size and name for messages. Owns the descriptor. Immutable; shared by the inputs
// that read it, each at its own position. Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/media.hpp"

namespace reeltag::media {

class File {
 public:
  // Fails with not_found, permission_denied, not_a_video (not a regular file, or empty), too_large.
  static Result<std::shared_ptr<const File>> open(const std::filesystem::path& path, const Limits& limits);
  static Result<std::shared_ptr<const File>> adopt(Descriptor descriptor, const std::string& name,
                                                   const Limits& limits);

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  // Reads bytes from offset on; returns 0 at the end, -1 if the file cannot be read.
  [[nodiscard]] std::int64_t read(std::int64_t offset, std::span<std::uint8_t> to) const;

  // An error that names the file.
  [[nodiscard]] Error error(Code code, const std::string& text) const { return {code, name_ + ": " + text}; }

 private:
  File(Descriptor descriptor, std::string name) : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

  Descriptor descriptor_;
  std::string name_;
  std::int64_t size_ = 0;
};

}  // namespace reeltag::media

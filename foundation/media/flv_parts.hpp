// Reads a file for libav. FLV recordings joined byte by byte are read without the file headers of the later parts:
// libav takes such a header for a tag of 5 MB and passes over what follows. One thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "file.hpp"

namespace reeltag::media {

class FlvParts {
 public:
  explicit FlvParts(std::shared_ptr<const File> file) : file_(std::move(file)) {}

  // Walks over the tags of an FLV file, about 100 a second of video, until late() or the first byte that is no tag.
  // Does nothing to other files.
  void find(const std::function<bool()>& late);
  [[nodiscard]] bool joined() const { return !headers_.empty(); }

  // Offsets and size are those of the file without its later headers. read() returns as File::read().
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] std::int64_t read(std::int64_t offset, std::span<std::uint8_t> to) const;

 private:
  struct Header {
    std::int64_t offset = 0;   // without the headers before it
    std::int64_t skipped = 0;  // bytes of all headers up to and including this one
  };
  std::shared_ptr<const File> file_;
  std::vector<Header> headers_;
};

}  // namespace reeltag::media

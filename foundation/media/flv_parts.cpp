#include "flv_parts.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace reeltag::media {
namespace {

// Source: Adobe Flash Video File Format Specification 10.1, annex E: a header with its own length, the size of "the tag
// before" (0), then tags of type, 24-bit length, 7 more bytes, data and the size of the whole tag.
constexpr std::int64_t kHeaderBytes = 9, kTagBytes = 11, kSizeBytes = 4;

bool is_header(std::span<const std::uint8_t> at) { return std::memcmp(at.data(), "FLV\x01", 4) == 0; }

bool is_tag(std::uint8_t type) { return type == 8 || type == 9 || type == 18; }  // sound, video, script data

std::int64_t header_length(std::span<const std::uint8_t> at) {
  return std::int64_t{at[5]} << 24 | at[6] << 16 | at[7] << 8 | at[8];
}

}  // namespace

void FlvParts::find(const std::function<bool()>& late) {
  std::array<std::uint8_t, kTagBytes> head{};
  std::int64_t at = 0, skipped = 0;
  while (file_->read(at, head) == kTagBytes && !late()) {
    if (is_header(head)) {
      const std::int64_t length = header_length(head) + kSizeBytes;
      if (length < kHeaderBytes + kSizeBytes || length > file_->size() - at) return;
      if (at > 0) headers_.push_back({.offset = at - skipped, .skipped = skipped + length});
      if (at > 0) skipped += length;
      at += length;
    } else if (at > 0 && is_tag(head[0] & 0x1f)) {
      at += kTagBytes + (head[1] << 16 | head[2] << 8 | head[3]) + kSizeBytes;
    } else {
      return;
    }
  }
}

std::int64_t FlvParts::size() const { return file_->size() - (headers_.empty() ? 0 : headers_.back().skipped); }

std::int64_t FlvParts::read(std::int64_t offset, std::span<std::uint8_t> to) const {
  const auto next = std::upper_bound(headers_.begin(), headers_.end(), offset,
                                     [](std::int64_t value, const Header& h) { return value < h.offset; });
  if (next != headers_.end()) to = to.first(std::min(to.size(), static_cast<std::size_t>(next->offset - offset)));
  return file_->read(offset + (next == headers_.begin() ? 0 : (next - 1)->skipped), to);
}

}  // namespace reeltag::media

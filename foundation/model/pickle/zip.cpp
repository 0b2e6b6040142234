#include "zip.hpp"

#include <algorithm>

#include "unpickle.hpp"

namespace reeltag::model {
namespace {

constexpr std::uint64_t kMaxDirectory = 256 << 20;  // bytes
constexpr std::uint64_t kEndSize = 22, kMaxComment = 65535;

// Reads little-endian numbers at offsets of a complete record.
struct ZipRecord {
  std::string_view bytes;

  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t width) const {
    std::uint64_t out = 0;
    for (std::size_t i = width; i-- > 0;) out = out << 8U | static_cast<unsigned char>(bytes.at(at + i));
    return out;
  }
  [[nodiscard]] std::uint64_t u16(std::size_t at) const { return number(at, 2); }
  [[nodiscard]] std::uint64_t u32(std::size_t at) const { return number(at, 4); }
  [[nodiscard]] std::uint64_t u64(std::size_t at) const { return number(at, 8); }
};

struct Directory {
  std::uint64_t offset = 0, size = 0, entries = 0;
};

class Reader {
 public:
  explicit Reader(const ByteSource& source) : source_(source) {}

  std::map<std::string, ZipEntry> read() const {
    const Directory directory = find_directory();
    const std::string bytes = source_.read(directory.offset, directory.size);
    std::map<std::string, ZipEntry> out;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const auto rest = std::string_view(bytes).substr(at);
      if (rest.size() < 46 || !rest.starts_with("PK\x01\x02")) corrupt("its directory ends early");
      const ZipRecord r{rest};
      const std::size_t name = r.u16(28), extra = r.u16(30), length = 46 + name + extra + r.u16(32);
      if (length > rest.size()) corrupt("its directory ends early");
      const std::string key(rest.substr(46, name));
      if (!out.emplace(key, entry(r, key, rest.substr(46 + name, extra), directory.offset)).second)
        corrupt("two entries are called " + printable(key));
      at += length;
    }
    return out;
  }

 private:
  [[noreturn]] void corrupt(const std::string& why) const {
    throw Exception(Code::corrupt, source_.name + " is not a whole zip file: " + why);
  }

  [[nodiscard]] Directory find_directory() const {
    const std::uint64_t tail_size = std::min(source_.size, kEndSize + kMaxComment);
    const std::uint64_t tail_at = source_.size - tail_size;
    const std::string tail = source_.read(tail_at, tail_size);
    std::size_t at = tail.rfind("PK\x05\x06");
    while (at != std::string::npos) {
      const ZipRecord end{std::string_view(tail).substr(at)};
      if (end.bytes.size() >= kEndSize && end.u16(20) == end.bytes.size() - kEndSize) break;
      at = at == 0 ? std::string::npos : tail.rfind("PK\x05\x06", at - 1);
    }
    if (at == std::string::npos) corrupt("it has no directory at its end; was the download complete?");
    const ZipRecord end{std::string_view(tail).substr(at)};
    Directory d{.offset = end.u32(16), .size = end.u32(12), .entries = end.u16(10)};
    std::uint64_t limit = tail_at + at;
    if (d.offset == 0xFFFFFFFF || d.size == 0xFFFFFFFF || d.entries == 0xFFFF) d = zip64_directory(limit);
    if (d.size > kMaxDirectory || d.offset > limit || d.size > limit - d.offset) corrupt("its directory lies outside");
    if (d.entries > d.size / 46) corrupt("its directory is too small for its entries");
    return d;
  }

  // limit: in, the offset of the classic end record; out, the offset of the zip64 one.
  [[nodiscard]] Directory zip64_directory(std::uint64_t& limit) const {
    if (limit < 20 + 56) corrupt("its zip64 directory is missing");
    const std::string locator = source_.read(limit - 20, 20);
    if (!locator.starts_with("PK\x06\x07")) corrupt("its zip64 directory is missing");
    const std::uint64_t at = ZipRecord{locator}.u64(8);
    if (at > limit - 20 - 56) corrupt("its zip64 directory lies outside");
    const std::string end = source_.read(at, 56);
    if (!end.starts_with("PK\x06\x06")) corrupt("its zip64 directory is missing");
    limit = at;
    const ZipRecord r{end};
    return {.offset = r.u64(48), .size = r.u64(40), .entries = r.u64(32)};
  }

  [[nodiscard]] ZipEntry entry(const ZipRecord& r, const std::string& name, std::string_view extra,
                               std::uint64_t limit) const {
    if ((r.u16(8) & 1U) != 0) throw Exception(Code::unsupported, source_.name + " is encrypted");
    if (r.u16(10) != 0) {
      throw Exception(Code::unsupported, source_.name + " is compressed, which torch.save does not do: unzip " +
                                             printable(name) + " and the rest, and zip them with -0");
    }
    std::uint64_t packed = r.u32(20), size = r.u32(24), local = r.u32(42);
    apply_zip64(extra, {&size, &packed, &local});
    if (packed != size) corrupt(printable(name) + " has two sizes");
    if (local > limit || limit - local < 30) corrupt(printable(name) + " lies outside");
    const std::string header = source_.read(local, 30);
    if (!header.starts_with("PK\x03\x04")) corrupt(printable(name) + " is not where the directory says");
    const std::uint64_t data = local + 30 + ZipRecord{header}.u16(26) + ZipRecord{header}.u16(28);
    if (data > limit || size > limit - data) corrupt(printable(name) + " lies outside");
    return {.offset = data, .size = size};
  }

  // Field 1 of the extra fields holds, in this order, those numbers that do not fit 32 bits.
  void apply_zip64(std::string_view extra, const std::array<std::uint64_t*, 3>& numbers) const {
    while (extra.size() >= 4) {
      const ZipRecord field{extra};
      const std::size_t length = field.u16(2);
      if (length > extra.size() - 4) break;
      if (field.u16(0) == 1) {
        std::size_t at = 4;
        for (auto* number : numbers) {
          if (*number != 0xFFFFFFFF) continue;
          if (at + 8 > 4 + length) corrupt("a zip64 size is missing");
          *number = field.u64(at);
          at += 8;
        }
        return;
      }
      extra.remove_prefix(4 + length);
    }
  }

  const ByteSource& source_;
};

}  // namespace

std::map<std::string, ZipEntry> read_zip_directory(const ByteSource& source) { return Reader(source).read(); }

std::uint32_t crc32(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < t.size(); ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ c >> 1U : c >> 1U;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char b : bytes) crc = table[(crc ^ static_cast<unsigned char>(b)) & 0xFFU] ^ crc >> 8U;
  return ~crc;
}

}  // namespace reeltag::model

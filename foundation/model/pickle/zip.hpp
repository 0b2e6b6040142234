// Reads the directory of an uncompressed zip file, strictly. torch.save never compresses, so compressed, encrypted and
// multi-disk files are rejected. Private. Functions, any thread. Throws Exception (corrupt, unsupported).
// Source of the format: PKWARE APPNOTE.TXT 6.3, sections 4.3 to 4.5 (zip64).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "reeltag/model/torch_file.hpp"

namespace reeltag::model {

struct ZipEntry {
  std::uint64_t offset = 0, size = 0;  // of the entry's bytes; checked to lie inside the file
};
std::map<std::string, ZipEntry> read_zip_directory(const ByteSource& source);

// CRC-32 as used by zip (reflected, 0xEDB88320).
std::uint32_t crc32(std::string_view bytes);

}  // namespace reeltag::model

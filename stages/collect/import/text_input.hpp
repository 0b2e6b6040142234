// Opens a text file of any usual encoding as UTF-8 lines: byte order marks, UTF-16, line ends of old Macs. Function;
// any thread. Throws permission_denied for a file that cannot be read, corrupt for broken UTF-16.
//
//   const auto in = open_text("m.csv");
//   CsvReader csv(*in, "m.csv", ';');
#pragma once

#include <filesystem>
#include <istream>
#include <memory>

namespace reeltag::collect {

// A stream at the first character, without a byte order mark. Lines end with LF or CRLF.
std::unique_ptr<std::istream> open_text(const std::filesystem::path& path);

}  // namespace reeltag::collect

// CSV as RFC 4180 has it: comma, quotes, doubled quotes, line breaks within quotes; LF or CRLF; a byte order mark.
// One thread.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::collect {

class CsvReader {
 public:
  // name stands for the file in messages. The stream must outlive the reader.
  CsvReader(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}

  // The next record that is not an empty line; nothing at the end. A quote that is never closed, text after a closing
  // quote, or a record above 1 MiB is an error (invalid_argument) and reading goes on with the line after it began.
  std::optional<Result<std::vector<std::string>>> next();

  // The line, from 1, on which the last record began.
  [[nodiscard]] std::int64_t line() const { return first_line_; }

 private:
  bool read_line(std::string& line);

  std::istream& in_;
  std::string name_;
  std::int64_t last_line_ = 0;
  std::int64_t first_line_ = 0;
};

}  // namespace reeltag::collect

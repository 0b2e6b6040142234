// Reads CSV as in RFC 4180 with any separator: quotes, doubled quotes, line breaks within quotes; LF or CRLF; optional
// byte order mark. One thread. Refers to the stream.
//
//   CsvReader csv(in, "m.csv");
//   while (auto record = csv.next()) ...
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
  // name: the file's name in messages. The stream must outlive the reader.
  CsvReader(std::istream& in, std::string name, char separator = ',')
      : in_(in), name_(std::move(name)), separator_(separator) {}

  // The next record, skipping empty lines; nothing at the end. A quote never closed, text after a closing quote, or a
  // record above 1 MiB is an error (invalid_argument); reading continues with the line after the record's first.
  std::optional<Result<std::vector<std::string>>> next();

  // The line number, from 1, on which the last record began.
  [[nodiscard]] std::int64_t line() const { return first_line_; }

 private:
  bool read_line(std::string& line);

  std::istream& in_;
  std::string name_;
  char separator_;
  std::int64_t last_line_ = 0;
  std::int64_t first_line_ = 0;
};

}  // namespace reeltag::collect

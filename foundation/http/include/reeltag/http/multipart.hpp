// Parses multipart/form-data (RFC 7578) as it arrives: streams one file to a sink, so that it is never in memory as a
// whole, and keeps the small fields. MultipartParser: one thread; owns the kept fields.
// Failure: Result; invalid_argument for a malformed form, too_large over a limit, the sink's error unchanged.
// After a failure every call returns it again.
//
//   auto parser = MultipartParser::make(request.header("content-type"), {.file_field = "video"}, sink);
//   if (!parser) return problem(parser.error());
//   parser->feed(part);                               // in Upload::write
//   const Result<MultipartForm> form = parser->finish();
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag::http {

struct MultipartOptions {
  std::string file_field = "file";          // the part whose bytes go to the sink
  std::int64_t max_file_bytes = 512 << 20;  // of that file
  std::size_t max_field_bytes = 64 << 10;   // of each other part
  std::size_t max_parts = 32;
  std::size_t max_head_bytes = 8 << 10;  // of a part's head, and of the bytes before the first part
};

struct MultipartFile {
  std::string name = {};  // from the client, without folders; empty if missing
  std::string content_type = {};
  std::int64_t bytes = 0;
};

struct MultipartForm {
  std::optional<MultipartFile> file = {};  // unset if the form has no such part
  std::vector<std::pair<std::string, std::string>> fields = {};
};

using MultipartSink = std::function<Result<void>(std::string_view part)>;

class MultipartParser {
 public:
  static Result<MultipartParser> make(std::string_view content_type, MultipartOptions options, MultipartSink sink);

  Result<void> feed(std::string_view bytes);
  // Returns the form; a form without its end is invalid_argument.
  Result<MultipartForm> finish();

 private:
  enum class State { preamble, boundary, head, field, file, end };

  MultipartParser(const std::string& boundary, MultipartOptions options, MultipartSink sink);
  // Each removes the bytes that it parsed from rest_; false if more bytes are needed.
  Result<bool> step();
  Result<bool> step_preamble();
  Result<bool> step_boundary();
  Result<bool> step_head();
  Result<bool> step_content();
  Result<void> begin_part(std::string_view head);
  Result<void> take(std::string_view content);

  std::string delimiter_;
  MultipartOptions options_;
  MultipartSink sink_;
  State state_ = State::preamble;
  std::string buffer_ = "\r\n";  // lets the first boundary match without a line before it
  std::string_view rest_;        // the unparsed part of buffer_, during feed()
  std::size_t parts_ = 0;
  MultipartForm form_;
  std::optional<Error> failure_;
};

}  // namespace reeltag::http

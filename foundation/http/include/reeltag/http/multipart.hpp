// multipart/form-data (RFC 7578) as it arrives: one file goes to a sink in pieces and never stands in memory, the small
// fields beside it are kept. MultipartParser: one thread; owns what it has kept.
// Failure: Result; invalid_argument for what is no such form, too_large over a limit, the sink's own error as it is.
// After a failure every call gives it again.
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
  std::int64_t max_file_bytes = 512 << 20;  // of it
  std::size_t max_field_bytes = 64 << 10;   // of each other part
  std::size_t max_parts = 32;
  std::size_t max_head_bytes = 8 << 10;  // of a part's head, and of what stands before the first part
};

struct MultipartFile {
  std::string name = {};  // as the client says, without folders; empty where it says none
  std::string content_type = {};
  std::int64_t bytes = 0;
};

struct MultipartForm {
  std::optional<MultipartFile> file = {};  // none: the form has no such part
  std::vector<std::pair<std::string, std::string>> fields = {};
};

using MultipartSink = std::function<Result<void>(std::string_view part)>;

class MultipartParser {
 public:
  static Result<MultipartParser> make(std::string_view content_type, MultipartOptions options, MultipartSink sink);

  Result<void> feed(std::string_view bytes);
  // The form, once its end was there: a cut one is invalid_argument.
  Result<MultipartForm> finish();

 private:
  enum class State { preamble, boundary, head, field, file, end };

  MultipartParser(const std::string& boundary, MultipartOptions options, MultipartSink sink);
  // Each takes what it understands off rest_; false when more bytes are needed.
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
  std::string buffer_ = "\r\n";  // the first boundary needs no line before it
  std::string_view rest_;        // of buffer_, within feed()
  std::size_t parts_ = 0;
  MultipartForm form_;
  std::optional<Error> failure_;
};

}  // namespace reeltag::http

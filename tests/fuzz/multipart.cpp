// Forms with a file, cut into pieces as the first byte says. Cut or whole, the result must be the same.
#include "reeltag/http/multipart.hpp"

#include <algorithm>

#include "fuzz.hpp"

using namespace reeltag;

namespace {

struct Read {
  Result<http::MultipartForm> form = fail(Code::internal, "");
  std::string file = {};
};

Read read(std::string_view text, std::size_t piece) {
  Read out;
  const http::MultipartOptions options{
      .max_file_bytes = 4096, .max_field_bytes = 512, .max_parts = 4, .max_head_bytes = 256};
  auto parser = http::MultipartParser::make("multipart/form-data; boundary=b", options, [&](std::string_view part) {
    out.file += part;
    return Result<void>();
  });
  while (!text.empty()) {
    if (!parser->feed(text.substr(0, piece))) break;
    text.remove_prefix(std::min(piece, text.size()));
  }
  out.form = parser->finish();
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::text(data + 1, size - 1);
  const Read whole = read(text, text.size());
  const Read cut = read(text, std::size_t{data[0]} + 1);
  fuzz::require(whole.form.has_value() == cut.form.has_value(), "how a form is cut does not matter");
  if (!whole.form) {
    fuzz::require(!whole.form.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  fuzz::require(whole.file == cut.file && whole.form->fields == cut.form->fields, "the content is the same");
  fuzz::require(whole.file.size() <= size && whole.file.size() <= 4096, "the file is no larger than allowed");
  return 0;
}

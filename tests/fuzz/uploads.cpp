// What clients say about a video in headers, and the record that lies beside its bytes.
#include "metadata.hpp"
#include "reeltag/base/base64.hpp"
#include "reeltag/http/header_value.hpp"
#include "upload_record.hpp"

#include <algorithm>

#include "fuzz.hpp"

using namespace reeltag;

namespace {

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  if (const auto bytes = from_base64(text)) fuzz::require(to_base64(*bytes) == text, "base64 has one spelling");
  const auto metadata = serve::parse_metadata(text);
  if (metadata) {
    serve::UploadRecord record{.metadata = *metadata};
    for (const auto& [key, value] : *metadata) fuzz::require(is_clean(value), "values have no control characters");
    const auto back = serve::parse_record(serve::to_text(record), "record");
    fuzz::require(back && back->metadata == *metadata, "metadata comes back from the disk");
    static_cast<void>(serve::deadline_of(*metadata));
  } else {
    fuzz::require(!metadata.error().message.empty(), "a refusal has a reason");
  }
  const auto name = serve::display_name(http::file_name_of(text));
  fuzz::require(is_clean(name) && name.size() <= 255 && name.find_first_of("/\\") == std::string::npos,
                "names are names");
  if (const auto type = serve::accepted_type(text)) fuzz::require(type->size() <= 127, "types are short");
  if (const auto bytes = serve::parse_size(text)) fuzz::require(*bytes >= 0, "sizes are sizes");
  if (const auto record = serve::parse_record(text, "record")) {
    const auto again = serve::parse_record(serve::to_text(*record), "record");
    fuzz::require(again && serve::to_text(*again) == serve::to_text(*record), "records come back as they were");
  }
  return 0;
}

// What is known of one upload beside its bytes, and its form on the disk (upload.json). Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

namespace reeltag::serve {

struct UploadRecord {
  std::string owner = {};
  std::string name = {};
  std::string content_type = {};
  std::map<std::string, std::string> metadata = {};
  std::string upload_metadata = {};           // tus' header as it came: HEAD gives it back
  std::optional<std::int64_t> length = {};    // none: the client will say later
  std::optional<std::int64_t> verified = {};  // a part with a checksum is arriving behind this offset
  double created = 0, expires = 0;            // seconds since 1970
  std::string job = {};
  bool one_body = false;    // came in one request: without its end it is nothing
  bool terminated = false;  // its client wants to hear no more of it; its job goes on
  bool released = false;    // its job has ended and the bytes are gone
};

std::string to_text(const UploadRecord& record);
// Fails with corrupt; origin names the file in the message.
Result<UploadRecord> parse_record(std::string_view text, const std::string& origin);

}  // namespace reeltag::serve

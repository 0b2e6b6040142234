// The metadata of one upload and its form on the disk (upload.json). Values, any thread. parse_record() fails with
// corrupt.
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
  std::string upload_metadata = {};           // as the client wrote it, returned to it unchanged
  std::optional<std::int64_t> length = {};    // none: the client sends it later
  std::optional<std::int64_t> verified = {};  // a part with a checksum is arriving after this offset
  double created = 0, expires = 0;            // seconds since 1970
  std::string job = {};
  std::string client = {};                            // Request::client of whoever created it
  std::string request_key = {}, request_digest = {};  // of the request that created it with Idempotency-Key
  bool one_body = false;                              // sent in one request: invalid unless complete
  bool terminated = false;                            // the client terminated it; its job continues
  bool released = false;                              // its job has ended and the bytes are removed
};

std::string to_text(const UploadRecord& record);
// Fails with corrupt; origin names the file in the message.
Result<UploadRecord> parse_record(std::string_view text, const std::string& origin);

}  // namespace reeltag::serve

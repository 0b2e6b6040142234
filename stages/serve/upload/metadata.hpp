// Parses what clients state about a video in headers; all of it is untrusted text. Pure functions, any thread.
// Failure: Result with invalid_argument or unsupported, worded for the client.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

namespace reeltag::serve {

// tus' Upload-Metadata, "filename ZGFuY2UubXA0,private": omits values that are not UTF-8, and removes control
// characters.
Result<std::map<std::string, std::string>> parse_metadata(std::string_view header);

// Digits only, at most 10^15.
std::optional<std::int64_t> parse_size(std::string_view text);

// For display: without folders, valid UTF-8, no control characters, at most 255 bytes.
std::string display_name(std::string_view text);

// Without parameters, in lower case: "video/webm" for "Video/WebM; codecs=vp9". unsupported for anything but video/*,
// image/gif and application/octet-stream; an empty one is accepted.
Result<std::string> accepted_type(std::string_view content_type);

// Seconds within 0.1 and 3600; 0 if there is no such metadata.
Result<double> deadline_of(const std::map<std::string, std::string>& metadata);

}  // namespace reeltag::serve

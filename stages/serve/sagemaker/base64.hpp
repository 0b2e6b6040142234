// Base64 (RFC 4648, section 4). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag::serve::sagemaker {

// Padding may be left out, white space and anything else may not be there: nothing.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace reeltag::serve::sagemaker

// Base64 (RFC 4648, section 4) to bytes. Any thread. Padding may be left out, white space and anything else may not be
// there: nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag::serve::sagemaker {

std::optional<std::string> from_base64(std::string_view text);

}  // namespace reeltag::serve::sagemaker

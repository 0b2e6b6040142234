// Base64 (RFC 4648, section 4), without line breaks. Any thread.
//
//   to_base64("fo")        // "Zm8="
//   from_base64("Zm8=")    // "fo"
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag {

std::string to_base64(std::string_view bytes);

// strict: with padding, and one spelling only of each value. lenient: padding may be left out, and the bits that it
// cuts off are not looked at.
enum class Base64 { strict, lenient };

// Nothing where the text is anything else.
std::optional<std::string> from_base64(std::string_view text, Base64 form = Base64::strict);

}  // namespace reeltag

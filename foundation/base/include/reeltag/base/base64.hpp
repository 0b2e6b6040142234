// Base64 (RFC 4648, section 4). Functions: any thread. Invalid input gives nullopt.
//
//   to_base64("fo")        // "Zm8="
//   from_base64("Zm8=")    // "fo"
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag {

std::string to_base64(std::string_view bytes);

// strict: requires padding and the canonical spelling of each value, without line breaks. lenient: padding may be
// missing, the unused bits of the last character are ignored, white space between characters is skipped, '-' and '_'
// stand for '+' and '/' (section 5), and a "data:...;base64," before the text is taken off.
enum class Base64 { strict, lenient };

// Decodes; nullopt if the text is not Base64 of that form.
std::optional<std::string> from_base64(std::string_view text, Base64 form = Base64::strict);

}  // namespace reeltag

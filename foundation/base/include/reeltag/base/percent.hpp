// Percent-encoding of URLs. Source: RFC 3986, sections 2.1 and 2.3. Functions: any thread. Bad input gives nullopt.
//
//   percent_encoded("a b/c", "/")   // "a%20b/c"
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag {

// Encodes every byte except the unreserved characters and those in `keep`.
std::string percent_encoded(std::string_view text, std::string_view keep = "");

// Decodes; nullopt if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace reeltag

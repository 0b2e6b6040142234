// Percent-encoding of URLs. Source: RFC 3986, sections 2.1 and 2.3. Any thread.
//
//   percent_encoded("a b/c", "/")   // "a%20b/c"
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reeltag {

// Encodes every byte but the unreserved characters and those of `keep`.
std::string percent_encoded(std::string_view text, std::string_view keep = "");

// Nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace reeltag

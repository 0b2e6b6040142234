// Text inside an address. Functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace reeltag::collect {

// All but letters, digits and -_.~ as %XX (RFC 3986).
std::string percent_encoded(std::string_view text);

}  // namespace reeltag::collect

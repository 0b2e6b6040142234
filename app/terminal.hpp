// Text of strangers for a terminal, which control characters would drive. Functions; any thread; nothing here fails.
#pragma once

#include <cstddef>
#include <string>

namespace reeltag::app {

// Control characters become blanks, and what is longer is cut.
std::string one_line(const std::string& text, std::size_t columns);
// The same line by line, and nothing is cut.
std::string lines(const std::string& text);

}  // namespace reeltag::app

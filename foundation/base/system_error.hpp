// Converts operating system errors to Error. Private to base. Any thread.
//
//   throw Exception(system_error(errno, "cannot write '" + path.string() + "'"));
#pragma once

#include <string>

#include "reeltag/base/error.hpp"

namespace reeltag {

// The code that matches this errno, with the message "what: <strerror>".
Error system_error(int number, const std::string& what);

}  // namespace reeltag

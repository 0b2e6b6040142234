// Errors of the operating system as ours. Private to base. Any thread.
//
//   throw Exception(system_error(errno, "cannot write '" + path.string() + "'"));
#pragma once

#include <string>

#include "reeltag/base/error.hpp"

namespace reeltag {

// The code that fits this errno, and "what: the system's words".
Error system_error(int number, const std::string& what);

}  // namespace reeltag

// Videos from outside as open files: downloads and standard input, kept in a file without a name below the home that is
// gone with its descriptor. One thread.
#pragma once

#include <string>

#include "context.hpp"
#include "reeltag/base/descriptor.hpp"

namespace reeltag::app {

Result<Descriptor> fetch(const Context& context, const std::string& url);
Result<Descriptor> read_standard_input(const Context& context);

}  // namespace reeltag::app

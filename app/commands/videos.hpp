// The videos that a command line names. One thread.
#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace reeltag::app {

// What to tag, in the order given: files, URLs and "-" as they are, folders as the videos in them.
std::vector<std::string> videos_of(Context& context, const std::vector<std::string>& names);

}  // namespace reeltag::app

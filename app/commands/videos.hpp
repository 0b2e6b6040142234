// The videos that a command line names. One thread.
#pragma once

#include <string>
#include <vector>

#include "context.hpp"

namespace reeltag::app {

// What to tag, in the order given: files, URLs and "-" as they are, folders as the videos in and below them, as
// `import` finds them. Files in folders that are no videos are passed over and named once, on stderr.
std::vector<std::string> videos_of(Context& context, const std::vector<std::string>& names);

// Names the files that nothing was read from, the first of many, on stderr. Nothing for none.
void report_passed_over(const std::vector<std::string>& files);

}  // namespace reeltag::app

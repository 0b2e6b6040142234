// Decides whether a hashtag can be written as a line of a vocabulary file. Pure function, any thread. Cannot fail.
#pragma once

#include <string_view>

namespace reeltag::dataset {

// False for texts that read_decisions() would read as something else.
bool writable(std::string_view hashtag);

}  // namespace reeltag::dataset

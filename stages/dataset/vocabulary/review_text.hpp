// What a line of a vocabulary file can hold. Thread-safe.
#pragma once

#include <string_view>

namespace reeltag::dataset {

// False for texts that read_decisions() would take for something else.
bool writable(std::string_view hashtag);

}  // namespace reeltag::dataset

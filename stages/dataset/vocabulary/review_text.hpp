// Writes a hashtag as a word of a vocabulary file. Pure function, any thread. Cannot fail.
#pragma once

#include <string>
#include <string_view>

namespace reeltag::dataset {

// The hashtag as it is, or in double quotes where read_decisions() would read it as something else: rock, paper has a
// comma. Within quotes '"' and '\' have a '\' before them.
std::string vocabulary_word(std::string_view hashtag);

}  // namespace reeltag::dataset

// Repairs keys at a wrong indentation: one of the reference's own files has such a line with an unambiguous meaning.
// Private. A function, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::model {

struct MendedYaml {
  std::string text;
  std::vector<int> lines;  // 1-based numbers of the moved lines
};

// Moves every line "KEY: value" whose indentation is invalid into the mapping that it interrupts. The text must not be
// valid YAML.
MendedYaml mend_indentation(std::string_view text);

}  // namespace reeltag::model

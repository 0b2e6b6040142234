// Keys that stand at a wrong indentation: one of the reference's own files has such a line, and its author's meaning is
// plain. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::model {

struct MendedYaml {
  std::string text;
  std::vector<int> lines;  // numbers of the lines that were moved, from 1
};

// Moves every line "KEY: value" that cannot be where it stands to the mapping that it interrupts. For text that is not
// YAML as it is; valid YAML may not be handed in.
MendedYaml mend_indentation(std::string_view text);

}  // namespace reeltag::model

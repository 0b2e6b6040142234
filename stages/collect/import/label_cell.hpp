// Splits one field of a table into hashtags: "cat, dog", "#cat #dog", ["cat","dog"], "a;b". Function; any thread.
//
//   split_labels("#cat,#dog", Spaces::separate)    // {"cat", "dog"}
//   split_labels("playing guitar", Spaces::belong)  // {"playing guitar"}
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::collect {

// Whether a space separates hashtags, as in a column `hashtags`, or belongs to a name, as in a column `class`.
enum class Spaces { separate, belong };

// As typed, without separators: commas, semicolons, '|', line breaks, brackets, quotes and '#' never become part of
// one. Spaces belong to a name where something else separates. Not normalized; empty ones are left out.
std::vector<std::string> split_labels(std::string_view cell, Spaces spaces);

}  // namespace reeltag::collect

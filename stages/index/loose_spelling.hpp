// Reduces a text to the spelling in which people search: without accents, vowel marks and points, and with one letter
// for those that keyboards of a script have in several forms. Private. Pure function, any thread. Throws
// Exception(internal) if ICU fails, which is a bug.
//
//   loose_spelling("caf\u00E9 Krak\u00F3w")   // "cafe Krakow"
#pragma once

#include <string>
#include <string_view>

namespace reeltag::index {

// Latin and Greek accents, Arabic vowel marks and Hebrew points are dropped; Arabic letters that differ between Arabic
// and Persian keyboards or carry a hamza are one; digits of any script are ASCII. Marks of other scripts stay: in
// Devanagari they are vowels, and a Cyrillic short i is a letter of its own.
std::string loose_spelling(std::string_view text);

}  // namespace reeltag::index

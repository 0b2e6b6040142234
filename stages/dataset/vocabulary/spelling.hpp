// Forms under which different spellings of one hashtag meet. All by code points, whatever the script. Texts are UTF-8
// as hashtag::normalize() leaves them; functions, any thread; nothing here fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::dataset {

// Without separators (blank _ - . ' and the like), and with letters that stand three times or more in a row once or
// twice: black_cat, blackcat -> blackcat; coooool -> col, cool. The forms differ from the hashtag; there may be none.
std::vector<std::string> joined(std::string_view hashtag);

// Without pictures at its ends: the text of pizza + (slice of pizza). Flags stay, they name a place; what is nothing
// but pictures stays too.
std::string undecorated(std::string_view hashtag);

// Without the accents of Latin, Greek and Cyrillic letters: caf\u00e9 -> cafe.
std::string without_accents(std::string_view hashtag);

// What it may be the plural of in English, for words of ASCII letters: cars -> car, boxes -> box, cities -> city.
std::vector<std::string> singulars(std::string_view hashtag);

// The least that is left of a hashtag when people play with it: letters and digits only, no accents, each letter once
// in a row, without digits at the end, and in words of Latin letters without those of other scripts. May be empty. For
// the related videos of generic hashtags.
std::string bare(std::string_view hashtag);

// The text itself and all texts with one character less. Two texts that are one edit apart share one of them.
std::vector<std::u32string> deletions(const std::u32string& text);
std::u32string code_points(std::string_view text);

// One letter more, less, other, or two neighbours changed over, as slips and spellings differ: not in the first letter,
// where other words begin (dating, rating), nor in digits (2024 is not 2025); and not in the last, where other words
// end (dance, dancer), unless it is the one before doubled, or at_the_end allows it.
bool one_edit(const std::u32string& a, const std::u32string& b, bool at_the_end = false);

}  // namespace reeltag::dataset
